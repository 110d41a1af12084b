#include "loaders/tfjs_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>

#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/json.hpp"

namespace attention::datasets {

namespace fs = std::filesystem;
using program::UserError;

namespace {

constexpr std::uint64_t most_json = 16 << 20;
constexpr std::size_t most_words = std::size_t{1} << 28;  // 1 GB: larger models are not meant here

Json read_json(const fs::path& file) {
  const std::string text = program::read_text(file, most_json);
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throw UserError(fmt::format("{}: not JSON; fetch the file again", file.string()));
  return json;
}

/// The number of elements of a shape. Throws UserError for what no tensor of a model has.
std::size_t elements(const std::string& file, const std::string& name, const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t n : shape) {
    if (n == 0 || n > most_words / count) throw UserError(fmt::format("{}: {} has the impossible shape [{}]", file, name, fmt::join(shape, ", ")));
    count *= n;
  }
  return count;
}

}  // namespace

TfjsWeights::TfjsWeights(const fs::path& folder) : file_((folder / "model.json").string()) {
  const Json model = read_json(folder / "model.json");
  std::vector<std::string> shards;
  std::size_t total = 0;
  try {
    for (const Json& group : model.at("weightsManifest")) {
      for (const Json& path : group.at("paths")) shards.push_back(path.get<std::string>());
      for (const Json& weight : group.at("weights")) {
        Entry entry{weight.at("name").get<std::string>(), weight.at("shape").get<std::vector<std::size_t>>(), total, 0};
        entry.count = elements(file_, entry.name, entry.shape);
        const auto type = weight.at("dtype").get<std::string>();
        // Both are words of 32 bits; whole numbers only say how the model was built.
        if (type != "float32" && type != "int32") throw UserError(fmt::format("{}: {} is {}; float32 and int32 are read", file_, entry.name, type));
        total += entry.count;
        if (total > most_words) throw UserError(fmt::format("{}: the weights take more than {} MB", file_, most_words >> 18));
        if (type == "float32") entries_.push_back(std::move(entry));
      }
    }
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("{}: no list of weights ({})", file_, error.what()));
  }

  words_ = tensor::UnsetBuffer(total);
  auto* to = reinterpret_cast<char*>(words_.data());
  std::size_t left = total * sizeof(float);
  for (const std::string& name : shards) {
    if (fs::path(name).filename() != name) throw UserError(fmt::format("{}: the shard '{}' lies elsewhere; only files beside it are read", file_, name));
    program::InputFile shard(folder / name);
    const std::uint64_t size = shard.size();
    if (size > left) throw UserError(fmt::format("{}: holds {} bytes, {} are left to be read; fetch the file again", shard.name(), size, left));
    shard.read(to, static_cast<std::size_t>(size));
    to += size;
    left -= static_cast<std::size_t>(size);
  }
  if (left > 0) throw UserError(fmt::format("{}: its shards end {} bytes before its last weight; fetch them again", file_, left));
}

std::span<const float> TfjsWeights::find(std::initializer_list<std::string_view> parts, std::initializer_list<std::size_t> shape) const {
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    std::size_t at = 0;
    const bool matches = std::ranges::equal(entry.shape, shape) && std::ranges::all_of(parts, [&](std::string_view part) {
      at = entry.name.find(part, at);
      if (at == std::string::npos) return false;
      at += part.size();
      return true;
    });
    if (!matches) continue;
    if (found) throw UserError(fmt::format("{}: several weights are called {}", file_, fmt::join(parts, " … ")));
    found = &entry;
  }
  if (!found) throw UserError(fmt::format("{}: no weight [{}] is called {}", file_, fmt::join(shape, ", "), fmt::join(parts, " … ")));
  return {words_.data() + found->first, found->count};
}

std::vector<std::pair<std::string, double>> load_pieces(const fs::path& file) {
  const Json json = read_json(file);
  try {
    std::vector<std::pair<std::string, double>> pieces;
    for (const Json& piece : json)
      pieces.emplace_back(piece.at(0).get<std::string>(), piece.at(1).is_null() ? 0 : piece.at(1).get<double>());
    return pieces;
  } catch (const Json::exception& error) {
    throw UserError(fmt::format("{}: no list of pieces with their scores ({})", file.string(), error.what()));
  }
}

}  // namespace attention::datasets
