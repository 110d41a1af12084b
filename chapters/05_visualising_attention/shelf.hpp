#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "record/attention_record.hpp"

/// The attention records that other chapters have left below a folder of results.
namespace attention::visualising {

/// A chapter that leaves records, and what they are of.
struct Source {
  std::string chapter;
  std::string what;
};
/// All of them, in order.
const std::vector<Source>& sources();

struct Shelved {
  std::string chapter, name;
  std::filesystem::path file;
  record::AttentionRecord record;
};

struct Shelf {
  std::vector<Shelved> records;  ///< by chapter, then by name
  std::vector<Source> missing;   ///< chapters without any
};

/// Reads them: of a full run, or of a quick one where `quick` or nothing else is there. Throws UserError
/// where one is damaged.
Shelf read_shelf(const std::filesystem::path& results, bool quick);

/// The folder of a chapter's results that holds files whose names end with `suffix`: the wanted kind of run's
/// before the other's. Empty where neither does.
std::filesystem::path folder_with(const std::filesystem::path& results, const std::string& chapter,
                                  const std::string& suffix, bool quick);

}  // namespace attention::visualising
