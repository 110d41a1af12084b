#include "training/records.hpp"

#include <fmt/format.h>

#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

namespace attention::training {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_record = 1 << 24;

void read(const fs::path& file, std::map<std::uint64_t, Record>& to) {
  const std::string text = program::read_text(file, largest_record);
  try {
    const Json json = Json::parse(text);
    Record record{file, json.at("figures"), json.at("training").at("curve"), json.at("training").at("seconds").get<double>()};
    to.insert_or_assign(json.at("recipe").at("seed").get<std::uint64_t>(), std::move(record));
  } catch (const Json::exception& error) {
    throw program::UserError(
        fmt::format("{}: no record of a training ({}); remove the file", program::one_line(file.string()), program::one_line(error.what(), 80)));
  }
}

}  // namespace

double Record::figure(const std::string& name) const {
  const auto found = figures.find(name);
  if (found == figures.end() || !found->is_number())
    throw program::UserError(fmt::format("{}: the record has no figure {}; remove the file", program::one_line(file.string()), name));
  return found->get<double>();
}

std::map<std::uint64_t, Record> records_of(const std::string& model, const WeightFolders& folders) {
  std::map<std::uint64_t, Record> records;
  for (const fs::path& folder : {folders.published / "records", folders.trainings}) {
    if (!fs::is_directory(folder)) continue;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const std::string file = entry.path().filename().string();
      if (file.starts_with(model + "-seed") && file.ends_with(".json")) read(entry.path(), records);
    }
  }
  return records;
}

}  // namespace attention::training
