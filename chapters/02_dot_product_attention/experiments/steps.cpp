#include <fmt/format.h>

#include <cmath>
#include <iostream>

#include "dot_product.hpp"
#include "experiments/experiments.hpp"
#include "ladder/climber.hpp"
#include "program/table.hpp"

namespace attention::dot_product {

namespace {

struct Setting {
  const char* name;
  std::string shape;
  int threads;
};

std::vector<ladder::Measurement> measure(const Context& c, const ladder::AnyMechanism& steps, const Setting& setting) {
  const ladder::Shape shape = ladder::parse_shape(setting.shape, steps.keys());
  const auto trial = steps.make(shape, 1, ladder::Hardness::plain);
  ladder::ClimbOptions options;
  options.threads = {setting.threads};
  options.seconds = c.quick ? 0.05 : 0.25;
  options.sample_above_s = c.quick ? 0.2 : 2;
  options.reference_flops = c.quick ? 2e8 : 1e9;
  return c.climber.problem(steps, setting.name, fmt::format("{}, {}", steps.title(), setting.name), *trial, options);
}

}  // namespace

void steps_of_the_top_rung(const Context& c) {
  const ladder::MechanismPtr steps = steps_mechanism();
  const char* n = c.quick ? "512" : "2048";
  const char* longer = c.quick ? "1024" : "4096";
  const Setting settings[] = {{"full", fmt::format("heads=8,queries={},dim=64", n), 1},
                              {"causal", fmt::format("heads=1,queries={},dim=64,causal=1", longer), c.threads}};
  const std::string headings[] = {fmt::format("8×{}×64, one thread", n),
                                  fmt::format("1×{}×64 causal, {} threads", longer, c.threads)};
  std::vector<std::vector<ladder::Measurement>> found;
  for (const Setting& setting : settings) found.push_back(measure(c, *steps, setting));

  program::Table table({{"left out"}, {"what happens then"}, {headings[0]}, {headings[1]}});
  Json rows = Json::array();
  for (const ladder::RungInfo& rung : steps->rungs()) {
    if (!rung.variant) continue;
    std::vector<std::string> words;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const ladder::Measurement* all = find_measurement(found[i], "fused", settings[i].threads);
      const ladder::Measurement* without = find_measurement(found[i], rung.name, settings[i].threads);
      if (!all || !without) {
        words.emplace_back("not run");
        continue;
      }
      const double noise = std::max(all->aa_spread, without->aa_spread);
      words.push_back(fmt::format("{:.2f} times as long{}", without->median_s / all->median_s,
                                  std::abs(without->median_s / all->median_s - 1) <= noise ? " (noise)" : ""));
    }
    const std::string name = rung.name.substr(rung.name.find('_') + 1);
    table.add({name, rung.idea, words[0], words[1]});
    rows.push_back({{"left out", name}, {"what happens then", rung.idea}, {headings[0], words[0]}, {headings[1], words[1]}});
  }
  std::cout << fmt::format("What each step of the top rung is worth\n{}\n", table.text());
  c.results.write("steps", {{"rows", rows}});
}

}  // namespace attention::dot_product
