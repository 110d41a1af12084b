#include "ladder/results.hpp"

#include <algorithm>

#include "machine/description.hpp"
#include "program/atomic_file.hpp"

namespace attention::ladder {

Results::Results(const std::filesystem::path& results, const std::string& chapter, bool quick, bool real_data)
    : folder_(quick ? results / chapter / "quick" : results / chapter),
      machine_(machine::describe()),
      data_(real_data ? "real" : "stand_in"),
      mode_(quick ? "quick" : "full") {
  program::make_folder(folder_);
}

void Results::remove_former(std::initializer_list<std::string_view> prefixes) const {
  namespace fs = std::filesystem;
  fs::remove(folder_ / "summary.json");
  std::vector<fs::path> former;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_))
    if (const std::string name = entry.path().filename().string();
        entry.is_regular_file() && std::ranges::any_of(prefixes, [&](std::string_view prefix) { return name.starts_with(prefix); }))
      former.push_back(entry.path());
  for (const fs::path& file : former) fs::remove(file);
}

void Results::write(const std::string& name, Json content) const {
  content["schema"] = 1;
  content["machine"] = machine_;
  content["data"] = data_;
  content["mode"] = mode_;
  program::write_file(folder_ / (name + ".json"), content.dump(1) + "\n");
}

void Results::write_summary(const std::vector<Figure>& figures) const {
  Json list = Json::array();
  for (const Figure& figure : figures)
    list.push_back({{"name", figure.name}, {"value", figure.value}, {"unit", figure.unit}, {"meaning", figure.meaning}});
  write("summary", {{"figures", list}});
}

void Results::add_roofs(machine::Roofs& roofs) { machine_["roofs"] = machine::describe_roofs(roofs); }

Json to_json(const std::vector<Measurement>& measurements) {
  Json list = Json::array();
  for (const Measurement& m : measurements) list.push_back(to_json(m));
  return list;
}

}  // namespace attention::ladder
