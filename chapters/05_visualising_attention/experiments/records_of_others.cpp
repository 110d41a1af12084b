#include <fmt/format.h>

#include <filesystem>
#include <iostream>
#include <map>

#include "experiments/experiments.hpp"
#include "head_measures.hpp"
#include "program/table.hpp"
#include "record_files.hpp"
#include "shelf.hpp"

namespace attention::visualising {

namespace {

namespace fs = std::filesystem;

/// Of a chapter's records, for the terminal.
struct Sum {
  std::size_t records = 0, heads = 0;
  double entropy_share = 0;
};

Json entry(const std::string& chapter, const std::string& name, const fs::path& file,
           const fs::path& folder) {
  return {{"chapter", chapter}, {"name", name}, {"file", fs::relative(file, folder).generic_string()}};
}

}  // namespace

void records_of_others(const Context& c) {
  const Shelf shelf = read_shelf(c.all_results, c.quick);
  const fs::path& folder = c.results.folder();
  Json rows = Json::array(), page = Json::array(), missing = Json::array();
  for (const char* name : {"text_1", "text_1_rollout", "text_1_flow"})
    if (const fs::path file = folder / (std::string(name) + ".attention.json");
        c.encoder != nullptr && fs::exists(file))
      page.push_back(entry("05_visualising_attention", name, file, folder));
  std::map<std::string, Sum> sums;
  std::size_t exported = 0, over_layers = 0;
  for (const Shelved& s : shelf.records) {
    const auto& shape = s.record.weights.shape();
    const std::string name = s.chapter.substr(0, 2) + "_" + s.name;
    page.push_back(entry(s.chapter, s.name, s.file, folder));
    for (const std::string& derived : write_over_layers(s.record, folder, name)) {
      page.push_back(entry(s.chapter, derived, folder / (derived + ".attention.json"), folder));
      ++over_layers;
    }
    exported += write_for_bertviz(s.record, folder / "bertviz", name) ? 1 : 0;
    Sum& sum = sums[s.chapter];
    ++sum.records;
    for (const HeadMeasures& m : head_measures(s.record)) {
      ++sum.heads;
      sum.entropy_share += m.entropy_share;
      rows.push_back({{"chapter", s.chapter},
                      {"record", s.name},
                      {"title", s.record.title},
                      {"head", fmt::format("{}.{}", m.layer, m.head)},
                      {"queries", shape[2]},
                      {"keys", shape[3]},
                      {"entropy", m.entropy},
                      {"entropy share", m.entropy_share},
                      {"largest weight", m.largest},
                      {"distance", m.distance ? Json(*m.distance) : Json(nullptr)}});
    }
  }
  program::Table table({"chapter", "records", "heads", "mean entropy, of the most"});
  for (const auto& [chapter, sum] : sums)
    table.add({chapter, std::to_string(sum.records), std::to_string(sum.heads),
               fmt::format("{:.0f} %", 100 * sum.entropy_share / static_cast<double>(sum.heads))});
  std::cout << fmt::format("The records of the other chapters\n{}", sums.empty() ? "(none)\n" : table.text());
  for (const Source& source : shelf.missing) {
    std::cout << fmt::format("{} has left no record ({}): ./course run {} makes them\n", source.chapter,
                             source.what, source.chapter.substr(0, 2));
    missing.push_back(source.chapter);
  }
  std::cout << '\n';
  c.results.write("heads", {{"rows", rows}, {"missing", missing}});
  c.results.write("page", {{"records", page}, {"missing", missing}});
  c.figure("records", static_cast<double>(shelf.records.size()), "records",
           "attention records of other chapters that were read");
  c.figure("records_exported", static_cast<double>(exported), "records", "of these, written for bertviz too");
  c.figure("chapters_missing", static_cast<double>(shelf.missing.size()), "chapters",
           "chapters that have left none yet");
}

}  // namespace attention::visualising
