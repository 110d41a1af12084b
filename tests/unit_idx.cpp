#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>

#include "loaders/fashion_mnist.hpp"
#include "loaders/idx.hpp"
#include "unit_files.hpp"

namespace {

namespace fs = std::filesystem;
using namespace attention::tests;
using namespace attention::datasets;

// An IDX file: magic and dimensions as big-endian 32-bit numbers, then the data.
std::string idx_file(std::initializer_list<std::uint32_t> header, const std::string& data) {
  std::string bytes;
  for (std::uint32_t value : header) {
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xFFU);
  }
  return bytes + data;
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

const std::string twelve = "abcdefghijkl";
std::string good_images() { return idx_file({0x803, 2, 2, 3}, twelve); }

std::string told_by_images(const fs::path& file, const std::string& bytes) {
  put(file, bytes);
  return refusal([&] { load_idx_images(file); });
}

TEST_CASE("IDX files are read, plain and packed, whatever their name", "[unit]") {
  const Scratch folder;
  const auto file = folder / "images";
  for (bool packed : {false, true}) {
    put(file, packed ? gzip(good_images()) : good_images());
    const auto images = load_idx_images(file);
    CHECK(images.shape()[0] == 2);
    CHECK(images.shape()[1] == 2);
    CHECK(images.shape()[2] == 3);
    CHECK(std::string(images.data(), images.data() + images.size()) == twelve);
    put(file, packed ? gzip(idx_file({0x801, 3}, "\x01\x02\x03")) : idx_file({0x801, 3}, "\x01\x02\x03"));
    const auto labels = load_idx_labels(file);
    CHECK(labels.size() == 3);
    CHECK(labels.data()[2] == 3);
  }
}

TEST_CASE("a broken IDX file is refused with the field and both numbers", "[unit]") {
  const Scratch folder;
  const auto file = folder / "images-idx3";
  const auto told = [&](const std::string& bytes) { return told_by_images(file, bytes); };
  CHECK(says(refusal([&] { load_idx_images(folder / "none"); }), {"cannot open", "none", "No such file"}));
  CHECK(says(told(""), {"images-idx3", "header of 0 bytes, expected 16"}));
  CHECK(says(told(good_images().substr(0, 15)), {"header of 15 bytes, expected 16"}));
  CHECK(says(told(idx_file({0x801, 12}, twelve)), {"magic 0x00000801, expected 0x00000803"}));
  CHECK(says(told(idx_file({0xD03, 1, 1, 3}, twelve)), {"magic 0x00000d03"}));
  CHECK(says(told(idx_file({0x803, 0, 2, 3}, "")), {"count is 0"}));
  CHECK(says(told(idx_file({0x803, 2, 0, 3}, "")), {"rows is 0"}));
  CHECK(says(told(idx_file({0x803, 2, 2, 0}, "")), {"columns is 0"}));
  CHECK(says(told(idx_file({0x803, 2, 2, 3}, "abc")),
             {"count 2, rows 2, columns 3 take 12 bytes, found 3", "truncated"}));
  CHECK(says(told(good_images() + "xy"), {"take 12 bytes, found 14"}));
  CHECK(
      says(told(idx_file({0x803, 1U << 31, 1U << 31, 1}, twelve)), {"4611686018427387904 bytes, found 12"}));
  CHECK(says(told(idx_file({0x803, 1U << 31, 1U << 31, 1U << 31}, twelve)),
             {"more than 2^63 bytes, found 12"}));
  put(file, good_images());
  CHECK(says(refusal([&] { load_idx_labels(file); }), {"magic 0x00000803, expected 0x00000801"}));
}

TEST_CASE("damaged gzip data is refused", "[unit]") {
  const Scratch folder;
  const auto file = folder / "images-idx3.gz";
  const auto told = [&](const std::string& bytes) { return told_by_images(file, bytes); };
  const std::string good = gzip(good_images());
  CHECK(says(told(good.substr(0, good.size() - 1)), {"images-idx3.gz", "damaged gzip data, truncated"}));
  CHECK(says(told(good + "xy"), {"damaged gzip data, 2 bytes more than its end"}));
  std::string wrong_sum = good;
  wrong_sum[good.size() - 8] = static_cast<char>(wrong_sum[good.size() - 8] ^ 1);
  CHECK(says(told(wrong_sum), {"damaged gzip data", "incorrect data check"}));
  // Ten megabytes of zeros behind a header that declares 12 bytes: no more than 13 are unpacked.
  CHECK(says(told(gzip(good_images() + std::string(10 << 20, '\0'))), {"take 12 bytes, found more than 12"}));
  // A header that declares more than deflate can pack into the file.
  CHECK(says(told(gzip(idx_file({0x803, 1U << 20, 1U << 10, 1U << 10}, twelve))),
             {"packed data can hold at most"}));
  CHECK(says(told(gzip(idx_file({0x803, 3, 2, 3}, twelve))), {"take 18 bytes, found 12"}));
}

TEST_CASE("no flipped byte and no shorter IDX file does harm", "[unit]") {
  const Scratch folder;
  const auto file = folder / "images";
  for (const std::string& good : {good_images(), gzip(good_images())}) {
    for (std::size_t length = 0; length < good.size(); ++length) {
      CHECK(told_by_images(file, good.substr(0, length)) != "accepted");
    }
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (unsigned flip : {0x01U, 0x10U, 0x80U, 0xFFU}) {
        std::string bytes = good;
        bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ flip);
        put(file, bytes);
        refusal([&] {
          const auto images = load_idx_images(file);
          CHECK(images.size() == 12);
        });
      }
    }
  }
}

TEST_CASE("Fashion-MNIST is read and its parts must agree", "[unit]") {
  const Scratch data;
  fs::create_directory(data / "fashion-mnist");
  const auto set = [&](const std::string& prefix, std::uint32_t images, const std::string& labels) {
    put(data / ("fashion-mnist/" + prefix + "-images-idx3-ubyte.gz"),
        gzip(idx_file({0x803, images, 28, 28}, std::string(images * 784, 'x'))));
    put(data / ("fashion-mnist/" + prefix + "-labels-idx1-ubyte.gz"),
        gzip(idx_file({0x801, static_cast<std::uint32_t>(labels.size())}, labels)));
  };
  set("train", 3, "\x01\x09\x02");
  CHECK(
      says(refusal([&] { load_fashion_mnist(data.path()); }), {"cannot open", "t10k-images-idx3-ubyte.gz"}));
  set("t10k", 1, "\x05");
  const auto found = load_fashion_mnist(data.path());
  CHECK(found.real);
  CHECK(found.train.images.shape()[0] == 3);
  CHECK(found.train.labels.data()[1] == 9);
  CHECK(found.test.images.shape()[0] == 1);
  CHECK(found.class_names.size() == 10);
  CHECK(found.class_names[9] == "Ankle boot");

  set("t10k", 1, "\x05\x05");
  CHECK(says(refusal([&] { load_fashion_mnist(data.path()); }), {"t10k-labels", "2 labels, but 1 pictures"}));
  set("t10k", 1, "\x0a");
  CHECK(says(refusal([&] { load_fashion_mnist(data.path()); }),
             {"t10k-labels", "label 0 is 10, expected 0 to 9"}));
  put(data / "fashion-mnist/t10k-images-idx3-ubyte.gz", good_images());
  CHECK(says(refusal([&] { load_fashion_mnist(data.path()); }), {"pictures of 2 × 3, expected 28 × 28"}));
}

TEST_CASE("without the data there is a stand-in that says so", "[unit]") {
  const Scratch data;
  const auto stand_in = load_fashion_mnist(data.path());
  CHECK_FALSE(stand_in.real);
  CHECK(stand_in.train.images.shape()[0] == 6'000);
  CHECK(stand_in.test.images.shape()[0] == 1'000);
  CHECK(stand_in.train.images.shape()[1] == 28);
  CHECK(stand_in.train.images.shape()[2] == 28);
  CHECK(stand_in.class_names.size() == 10);

  const auto again = make_stand_in(100, 100);
  CHECK(std::equal(again.train.images.data(), again.train.images.data() + 78'400,
                   stand_in.train.images.data()));
  CHECK_FALSE(
      std::equal(again.train.images.data(), again.train.images.data() + 78'400, again.test.images.data()));

  // Neither hopeless nor trivial for the nearest picture: more than half right, not all.
  const std::size_t queries = 200, keys = 2'000;
  std::size_t right = 0;
  for (std::size_t q = 0; q < queries; ++q) {
    std::size_t best = 0;
    long smallest = -1;
    for (std::size_t k = 0; k < keys; ++k) {
      long distance = 0;
      for (std::size_t i = 0; i < 784; ++i) {
        const long difference =
            long{stand_in.test.images.data()[q * 784 + i]} - stand_in.train.images.data()[k * 784 + i];
        distance += difference * difference;
      }
      if (smallest < 0 || distance < smallest) {
        smallest = distance;
        best = k;
      }
    }
    right += stand_in.test.labels.data()[q] == stand_in.train.labels.data()[best];
  }
  CAPTURE(right);
  CHECK(right > queries / 2);
  CHECK(right < queries);
}

}  // namespace
