// What ladders there are: every mechanism with its rungs, shape keys and defaults. A program of its own, which the book asks too: it needs
// nothing of what measures.
#include <fmt/format.h>

#include <iostream>
#include <string>

#include "ladder/registry.hpp"
#include "program/command_line.hpp"
#include "program/json.hpp"
#include "program/main.hpp"

namespace {

using namespace attention;

std::string default_text(const ladder::ShapeKey& key) {
  if (!key.same_as.empty()) return key.same_as;
  return key.words.empty() ? std::to_string(key.default_value) : key.words.at(static_cast<std::size_t>(key.default_value));
}

Json describe(const ladder::AnyMechanism& mechanism) {
  Json keys = Json::array();
  for (const ladder::ShapeKey& key : mechanism.keys()) {
    const bool number = key.same_as.empty() && key.words.empty();
    keys.push_back({{"name", key.name}, {"meaning", key.meaning}, {"default", number ? Json(key.default_value) : Json(default_text(key))}, {"minimum", key.minimum}});
    if (!key.words.empty()) keys.back()["words"] = key.words;
  }
  Json shapes = Json::array();
  for (const ladder::StandardShape& shape : mechanism.standard_shapes())
    shapes.push_back({{"name", shape.name}, {"shape", shape.text}});
  Json rungs = Json::array();
  for (const ladder::RungInfo& rung : mechanism.rungs())
    rungs.push_back({{"name", rung.name}, {"idea", rung.idea}, {"parallel", rung.parallel}, {"beside", rung.beside}, {"variant", rung.variant}});
  return {{"name", mechanism.name()},   {"title", mechanism.title()}, {"citation", mechanism.citation()},
          {"chapter", mechanism.chapter()}, {"tensors", mechanism.tensor_names()}, {"shape_keys", keys},
          {"standard_shapes", shapes},  {"rungs", rungs}};
}

int list(bool as_json) {
  if (as_json) {
    Json mechanisms = Json::array();
    for (const auto& mechanism : ladder::all_mechanisms()) mechanisms.push_back(describe(*mechanism));
    std::cout << Json{{"schema", 1}, {"mechanisms", mechanisms}}.dump(1) << '\n';
    return 0;
  }
  for (const auto& mechanism : ladder::all_mechanisms()) {
    std::cout << fmt::format("{} — {} ({}), {}\n", mechanism->name(), mechanism->title(), mechanism->citation(),
                             mechanism->chapter());
    for (const ladder::RungInfo& rung : mechanism->rungs())
      std::cout << fmt::format("    {:<10} {}{}\n", rung.name, rung.idea, rung.beside ? " (library)" : rung.variant ? " (variant)" : "");
    std::cout << "  shape keys:\n";
    for (const ladder::ShapeKey& key : mechanism->keys())
      std::cout << fmt::format("    {:<10} {} (default {})\n", key.name, key.meaning,
                               default_text(key));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run_main(argc, argv, [&]() -> int {
    bool as_json = false;
    if (const auto status = program::parse("Every mechanism with its rungs, shape keys and defaults.", "course list",
                                           {{"--json", "one JSON document on standard output", &as_json}}, argc, argv))
      return *status;
    return list(as_json);
  });
}
