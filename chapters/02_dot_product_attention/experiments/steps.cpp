#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "dot_product.hpp"
#include "experiments/images.hpp"
#include "ladder/climber.hpp"
#include "ladder/publish.hpp"
#include "program/table.hpp"

namespace attention::dot_product {

namespace {

struct Setting {
  const char* name;
  std::string heading;
  int threads;
  std::unique_ptr<ladder::Trial> trial;
};

std::unique_ptr<ladder::Trial> random_numbers(const ladder::AnyMechanism& steps, const std::string& shape) {
  return steps.make(ladder::parse_shape(shape, steps.keys()), 1, ladder::Hardness::plain);
}

/// Some of the test images look up some of the others: most weights are next to nothing, as they are in no problem of random numbers.
std::unique_ptr<ladder::Trial> images(const Context& c, const LookUp& best) {
  datasets::FashionMnist some;
  some.train = datasets::first_pictures(c.data.train, 8192);
  some.test = datasets::first_pictures(c.data.test, 768);
  return ladder::make_trial(steps(), test_problem(some, best));
}

std::vector<ladder::Measurement> measure(const Context& c, const ladder::AnyMechanism& steps, const Setting& setting) {
  ladder::ClimbOptions options;
  options.threads = {setting.threads};
  options.seconds = c.quick ? 0.05 : 0.25;
  options.sample_above_s = c.quick ? 0.2 : 2;
  options.reference_flops = c.quick ? 2e8 : 1e9;
  return c.climber.problem(steps, setting.name, fmt::format("{}, {}", steps.title(), setting.name), *setting.trial, options);
}

}  // namespace

void steps_of_the_top_rung(const Context& c, const LookUp& best) {
  const ladder::MechanismPtr steps = steps_mechanism();
  const char* n = c.quick ? "512" : "2048";
  const char* longer = c.quick ? "1024" : "4096";
  const Setting settings[] = {
      {"full", fmt::format("8×{}×64, one thread", n), 1, random_numbers(*steps, fmt::format("heads=8,queries={},dim=64", n))},
      {"causal", fmt::format("1×{}×64 causal, {} threads", longer, c.threads), c.threads,
       random_numbers(*steps, fmt::format("heads=1,queries={},dim=64,causal=1", longer))},
      {"images", "768 images look up 8192, one thread", 1, images(c, best)}};
  std::vector<std::vector<ladder::Measurement>> found;
  for (const Setting& setting : settings) found.push_back(measure(c, *steps, setting));

  std::vector<program::Table::Column> columns{{"what is changed"}, {"what happens then"}};
  for (const Setting& setting : settings) columns.emplace_back(setting.heading);
  program::Table table(std::move(columns));
  Json rows = Json::array();
  for (const ladder::RungInfo& rung : steps->rungs()) {
    if (!rung.variant) continue;
    std::string name(rung.name);
    std::ranges::replace(name, '_', ' ');
    std::vector<std::string> words{name, rung.idea};
    Json row{{"what is changed", name}, {"what happens then", rung.idea}};
    for (std::size_t i = 0; i < found.size(); ++i) {
      const ladder::Measurement* all = find_measurement(found[i], "fused", settings[i].threads);
      const ladder::Measurement* changed = find_measurement(found[i], rung.name, settings[i].threads);
      if (!all || !changed) {
        words.emplace_back("not run");
      } else {
        const double noise = std::max(all->aa_spread, changed->aa_spread);
        words.push_back(fmt::format("{:.2f} times as long{}", changed->median_s / all->median_s,
                                    std::abs(changed->median_s / all->median_s - 1) <= noise ? " (noise)" : ""));
      }
      row[settings[i].heading] = words.back();
    }
    table.add(std::move(words));
    rows.push_back(std::move(row));
  }
  std::cout << fmt::format("What each step of the top rung is worth\n{}\n", table.text());
  c.results.write("steps", {{"rows", rows}});
}

}  // namespace attention::dot_product
