#include "record/attention_record.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "program/atomic_file.hpp"
#include "program/error.hpp"
#include "program/text.hpp"
#include "record/document.hpp"

namespace attention::record {
namespace {

using program::one_line;
using program::UserError;
namespace fs = std::filesystem;

constexpr std::size_t schema = 1;
constexpr std::string_view suffix = ".attention.json";
constexpr std::array<std::pair<Kind, std::string_view>, 4> kinds{
    {{Kind::tokens, "tokens"}, {Kind::image, "image"}, {Kind::images, "images"}, {Kind::frames, "frames"}}};

std::string_view name_of(Kind kind) {
  for (const auto& [value, name] : kinds) {
    if (value == kind) return name;
  }
  return "unknown";
}

bool holds_items(Kind kind) { return kind == Kind::images || kind == Kind::frames; }

// ---- Checks, the same before writing and after reading
// ---------------------------------------------------------------

void check_side(const std::string& subject, std::string_view field, const Side& side, std::size_t count) {
  const auto fail = [&](const std::string& what) { refuse(subject, fmt::format("{}: {}", field, what)); };
  if (side.kind == Kind::image) {
    const auto [height, width] = side.grid;
    if (height == 0 || width == 0 || height > count || height * width != count || count / height != width) {
      fail(fmt::format("grid {} × {}, but weights has {}", height, width, count));
    }
  } else if (side.kind == Kind::tokens ? side.labels.size() != count
                                       : !side.labels.empty() && side.labels.size() != count) {
    fail(fmt::format("{} labels, but weights has {}", side.labels.size(), count));
  }
  if (holds_items(side.kind) && side.labels.empty() && !side.pixels) fail("neither labels nor pixels");
  if (side.kind == Kind::tokens && side.pixels) fail("pixels, but its kind is tokens");
  if (!side.pixels) return;

  const std::vector<std::size_t>& shape = side.pixels->shape;
  const std::size_t leading = holds_items(side.kind) ? 1 : 0;
  const bool grey = shape.size() == leading + 2, colour = shape.size() == leading + 3 && shape.back() == 3;
  if (!grey && !colour) {
    fail(fmt::format("pixels of shape ({}), expected {}height, width and, in colour, 3",
                     fmt::join(shape, ", "), leading == 1 ? "items, " : ""));
  }
  if (leading == 1 && shape[0] != count)
    fail(fmt::format("pixels of {} items, but weights has {}", shape[0], count));
  if (side.pixels->dtype != "uint8" && side.pixels->dtype != "float32") {
    fail(fmt::format("pixels of dtype {}, expected uint8 or float32", side.pixels->dtype));
  }
}

void check_weights(const std::string& subject, const tensor::Tensor<4>& weights) {
  constexpr double tolerance = 1e-3;
  const auto& shape = weights.shape();
  for (std::size_t length : shape) {
    if (length == 0)
      refuse(subject, fmt::format("weights of shape ({}): a length is 0", fmt::join(shape, ", ")));
  }
  const float* row = weights.data();
  const std::size_t rows = shape[0] * shape[1] * shape[2], keys = shape[3];
  for (std::size_t r = 0; r < rows; ++r, row += keys) {
    const auto where = [&] {
      return fmt::format("layer {}, head {}, query {}", r / shape[2] / shape[1], r / shape[2] % shape[1],
                         r % shape[2]);
    };
    double sum = 0;
    for (std::size_t k = 0; k < keys; ++k) {
      const double weight = static_cast<double>(row[k]);
      // Written so that NaN fails too.
      if (!(weight >= -tolerance && weight <= 1 + tolerance)) {
        refuse(subject, fmt::format("weights: {} at {}, key {}; expected 0 to 1", weight, where(), k));
      }
      sum += weight;
    }
    if (sum > 1 + tolerance)
      refuse(subject, fmt::format("weights: {} sums to {}; expected at most 1", where(), sum));
  }
}

void check(const std::string& subject, const AttentionRecord& record) {
  check_weights(subject, record.weights);
  check_side(subject, "queries", record.queries, record.weights.shape()[2]);
  check_side(subject, "keys", record.keys, record.weights.shape()[3]);
}

// ---- JSON
// ------------------------------------------------------------------------------------------------------------

Json describe(const Side& side, std::size_t count, const std::string& pixels_file) {
  Json result{{"kind", name_of(side.kind)}, {"count", count}};
  if (side.kind == Kind::image) result["grid"] = side.grid;
  if (!side.labels.empty()) result["labels"] = side.labels;
  if (side.pixels) result["pixels"] = pixels_file;
  return result;
}

class Reader : Document {
 public:
  explicit Reader(const fs::path& file) : Document(file, schema) {}

  AttentionRecord read() const {
    AttentionRecord record;
    record.title = text(json(), "title");
    record.real = real();
    record.machine = json().value("machine", Json(nullptr));

    const Json& queries = field(json(), "queries", Json::value_t::object);
    const Json& keys = field(json(), "keys", Json::value_t::object);
    const fs::path weights_file = beside(text(json(), "weights"), "weights");
    check_shape(weights_file, number(queries, "count"), number(keys, "count"));
    record.weights = tensor::load<float, 4>(weights_file);
    record.queries = side(queries, "queries");
    record.keys = side(keys, "keys");
    if (text(json(), "kind") != name_of(record.keys.kind)) {
      refuse(subject(), fmt::format("kind '{}', but the keys' is '{}'", one_line(text(json(), "kind"), 40),
                                   name_of(record.keys.kind)));
    }
    check(subject(), record);
    return record;
  }

 private:
  void check_shape(const fs::path& weights_file, std::size_t queries, std::size_t keys) const {
    const std::vector<std::size_t> found = tensor::read_npy_header(weights_file).shape;
    const std::vector<std::size_t> expected{number(json(), "layers"), number(json(), "heads"), queries,
                                            keys};
    if (found != expected) {
      refuse(subject(), fmt::format("{} has shape ({}), expected ({}): layers, heads, queries, keys",
                                    one_line(weights_file.filename().string()), fmt::join(found, ", "),
                                   fmt::join(expected, ", ")));
    }
  }

  Side side(const Json& object, std::string_view name) const {
    Side result;
    const std::string kind = text(object, "kind");
    bool known = false;
    for (const auto& [value, word] : kinds) {
      if (kind != word) continue;
      result.kind = value;
      known = true;
    }
    if (!known) {
      refuse(subject(), fmt::format("{}: kind '{}', expected tokens, image, images or frames", name,
                                   one_line(kind, 40)));
    }
    if (object.contains("labels")) {
      for (const Json& label : field(object, "labels", Json::value_t::array)) {
        if (!label.is_string())
          refuse(subject(),
                 fmt::format("{}: a label is of type {}, expected string", name, label.type_name()));
        result.labels.push_back(label.get<std::string>());
      }
    }
    if (result.kind == Kind::image) {
      const Json& grid = field(object, "grid", Json::value_t::array);
      if (grid.size() != 2)
        refuse(subject(), fmt::format("{}: grid of {} numbers, expected 2", name, grid.size()));
      result.grid = {whole(grid[0], "grid"), whole(grid[1], "grid")};
    }
    if (object.contains("pixels")) result.pixels = tensor::read_npy(beside(text(object, "pixels"), "pixels"));
    return result;
  }
};

}  // namespace

Side tokens(std::vector<std::string> labels) { return {Kind::tokens, std::move(labels)}; }

Side image(std::array<std::size_t, 2> grid, std::optional<tensor::NpyArray> pixels) {
  return {Kind::image, {}, grid, std::move(pixels)};
}

Side images(tensor::NpyArray pixels, std::vector<std::string> labels) {
  return {Kind::images, std::move(labels), {0, 0}, std::move(pixels)};
}

Side frames(tensor::NpyArray pixels, std::vector<std::string> labels) {
  return {Kind::frames, std::move(labels), {0, 0}, std::move(pixels)};
}

void write(const AttentionRecord& record, const fs::path& folder, const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos) {
    throw UserError(
        fmt::format("attention record name '{}': expected a file name without a folder", one_line(name)));
  }
  check(fmt::format("attention record {}", one_line(name)), record);
  const auto& shape = record.weights.shape();
  const std::string queries_file = name + ".queries.npy", keys_file = name + ".keys.npy";
  const std::string weights_file = name + ".attention.npy";
  Json document{{"schema", schema},
                {"title", record.title},
                {"kind", name_of(record.keys.kind)},
                {"data", record.real ? "real" : "stand_in"},
                {"layers", shape[0]},
                {"heads", shape[1]},
                {"queries", describe(record.queries, shape[2], queries_file)},
                {"keys", describe(record.keys, shape[3], keys_file)},
                {"weights", weights_file}};
  if (!record.machine.is_null()) document["machine"] = record.machine;

  program::make_folder(folder);
  if (record.queries.pixels) tensor::write_npy(folder / queries_file, *record.queries.pixels);
  if (record.keys.pixels) tensor::write_npy(folder / keys_file, *record.keys.pixels);
  tensor::save(folder / weights_file, record.weights);
  // A label that is not UTF-8 is written with replacement characters instead of failing the run.
  program::write_file(folder / (name + std::string(suffix)),
                      document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

AttentionRecord read(const fs::path& file) { return Reader(file).read(); }

}  // namespace attention::record
