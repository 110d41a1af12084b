#include "shelf.hpp"

#include <algorithm>

namespace attention::visualising {

namespace fs = std::filesystem;

namespace {

constexpr const char* suffix = ".attention.json";

std::vector<fs::path> files_with(const fs::path& folder, const std::string& ending) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().filename().string().ends_with(ending)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace

const std::vector<Source>& sources() {
  static const std::vector<Source> all{
      {"01_basic_attention", "weeks of a series"},
      {"02_dot_product_attention", "pictures that look up pictures"},
      {"03_multi_head_attention", "the heads of a sentence encoder"},
      {"04_self_attention", "words under masks"},
      {"06_convolutional_attention", "gates, places of pictures, frames"},
      {"07_recurrent_attention", "the words that tell a class"},
      {"08_sequence_to_sequence", "verses and their translations, letters and sounds"}};
  return all;
}

fs::path folder_with(const fs::path& results, const std::string& chapter, const std::string& ending,
                     bool quick) {
  const fs::path full = results / chapter, small = full / "quick";
  for (const fs::path& folder : {quick ? small : full, quick ? full : small})
    if (!files_with(folder, ending).empty()) return folder;
  return {};
}

Shelf read_shelf(const fs::path& results, bool quick) {
  Shelf shelf;
  for (const Source& source : sources()) {
    const fs::path folder = folder_with(results, source.chapter, suffix, quick);
    if (folder.empty()) {
      shelf.missing.push_back(source);
      continue;
    }
    for (const fs::path& file : files_with(folder, suffix)) {
      std::string name = file.filename().string();
      name.resize(name.size() - std::string(suffix).size());
      shelf.records.push_back({source.chapter, name, file, record::read(file)});
    }
  }
  return shelf;
}

}  // namespace attention::visualising
