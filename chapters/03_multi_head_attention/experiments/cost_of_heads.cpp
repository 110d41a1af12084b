#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "experiments/experiments.hpp"
#include "ladder/climb.hpp"
#include "ladder/publish.hpp"
#include "machine/roofs.hpp"
#include "multi_head.hpp"
#include "program/table.hpp"

namespace attention::multi_head {

void cost_of_heads(const ladder::ChapterRun& run) {
  constexpr Index width = 512;
  const Index n = run.quick ? 256 : 1024;
  const ladder::MechanismPtr any = ladder::publish(mechanism());
  program::Table table({{"heads"}, {"key heads"}, {"time"}, {"FLOP"}, {"weights"}, {"K and V"}});
  Json rows = Json::array();
  const auto measure = [&](Index heads, Index key_heads, const char* kind) {
    const std::string text = fmt::format("n={},width={},key_heads={},group={},dim={}", n, width, key_heads, heads / key_heads, width / heads);
    const auto trial = any->make(ladder::parse_shape(text, any->keys()), 1, ladder::Hardness::plain);
    ladder::ClimbOptions options;
    options.rungs = {any->rung_index("fused")};
    options.seconds = run.quick ? 0.02 : 0.15;
    options.reference_flops = 2e8;
    options.check_threads = run.threads;
    const ladder::Measurement m = ladder::climb(*any, *trial, options, run.roofs).front();
    const double weights = static_cast<double>(heads * n * n * 4) / 1e6;
    const double keys = static_cast<double>(2 * n * key_heads * (width / heads) * 4) / 1e6;
    table.add({std::to_string(heads), std::to_string(key_heads), fmt::format("{:.2f} ms", 1e3 * m.median_s),
               fmt::format("{:.3g}", trial->cost().flops), fmt::format("{:.3g} MB", weights), fmt::format("{:.3g} MB", keys)});
    rows.push_back({{"kind", kind}, {"heads", heads}, {"key_heads", key_heads}, {"milliseconds", 1e3 * m.median_s},
                    {"gigaflop", trial->cost().flops / 1e9}, {"weights_megabytes", weights}, {"keys_and_values_megabytes", keys}});
  };
  for (const Index heads : {1, 2, 4, 8, 16}) measure(heads, heads, "a key head each");
  for (const Index heads : {2, 4, 8, 16}) measure(heads, 1, "one key head for all");
  std::cout << fmt::format("Heads at constant width {}, {} rows, fused rung, one thread\n{}\n", width, n, table.text());
  run.results.write("cost_of_heads", {{"rows", rows}});
}

}  // namespace attention::multi_head
