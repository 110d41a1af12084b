#include "loaders/fashion_mnist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "loaders/folder.hpp"
#include "loaders/idx.hpp"
#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::datasets {
namespace {

using program::one_line;
using program::UserError;
namespace fs = std::filesystem;

constexpr std::size_t side = 28;
constexpr int classes = 10;

// The file as Debian packs it, or unpacked.
fs::path present(const fs::path& folder, const std::string& name) {
  const fs::path packed = folder / (name + ".gz"), plain = folder / name;
  std::error_code ignored;
  return !fs::exists(packed, ignored) && fs::exists(plain, ignored) ? plain : packed;
}

ImageSet load_set(const fs::path& folder, const std::string& prefix) {
  const fs::path images_file = present(folder, prefix + "-images-idx3-ubyte");
  const fs::path labels_file = present(folder, prefix + "-labels-idx1-ubyte");
  ImageSet set{load_idx_images(images_file), load_idx_labels(labels_file)};
  const auto& shape = set.images.shape();
  if (shape[1] != side || shape[2] != side) {
    throw UserError(fmt::format("{}: pictures of {} × {}, expected {} × {}", one_line(images_file.string()),
                                shape[1], shape[2], side, side));
  }
  if (set.labels.shape()[0] != shape[0]) {
    throw UserError(fmt::format("{}: {} labels, but {} pictures in {}", one_line(labels_file.string()),
                                set.labels.shape()[0], shape[0], one_line(images_file.filename().string())));
  }
  const std::uint8_t* const begin = set.labels.data();
  const std::uint8_t* const end = begin + set.labels.size();
  const std::uint8_t* const wrong =
      std::find_if(begin, end, [](std::uint8_t label) { return label >= classes; });
  if (wrong != end) {
    throw UserError(fmt::format("{}: label {} is {}, expected 0 to {}", one_line(labels_file.string()),
                                wrong - begin, *wrong, classes - 1));
  }
  return set;
}

}  // namespace

const std::vector<std::string>& fashion_class_names() {
  static const std::vector<std::string> names{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                              "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return names;
}

FashionMnist load_fashion_mnist(const fs::path& data_folder) {
  if (!has_folder(data_folder, "fashion-mnist")) return make_stand_in();
  const fs::path folder = data_folder / "fashion-mnist";
  return {load_set(folder, "train"),
          load_set(folder, "t10k"),
          true,
          fashion_class_names()};
}

ImageSet first_pictures(const ImageSet& set, std::size_t count) {
  count = std::min(count, set.labels.size());
  const std::size_t pixels = set.images.shape()[1] * set.images.shape()[2];
  ImageSet some;
  some.images.resize({count, set.images.shape()[1], set.images.shape()[2]});
  some.labels.resize({count});
  std::copy_n(set.images.data(), count * pixels, some.images.data());
  std::copy_n(set.labels.data(), count, some.labels.data());
  return some;
}

}  // namespace attention::datasets
