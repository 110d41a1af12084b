#include "experiments/layouts.hpp"

#include <fmt/format.h>

#include <iostream>

#include "channels_last_maps.hpp"
#include "experiments/best_of.hpp"
#include "machine/affinity.hpp"
#include "program/table.hpp"
#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/cbam_rungs.hpp"
#include "rungs/channels_last_gates.hpp"
#include "rungs/efficient_channel_rungs.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"

namespace attention::convolutional {

void layouts(const ladder::ChapterRun& run) {
  const Index channels = 64, side = 56;
  const Index batch = run.quick ? 4 : batch_beyond_cache(4.0 * static_cast<double>(channels * side * side));
  const int rounds = run.quick ? 3 : 12;
  const std::string shape = fmt::format("batch={},channels={},height={}", batch, channels, side);
  program::Table table({{"mechanism"}, {"threads"}, {"channels first"}, {"channels last"}, {"ratio"}});
  Json rows = Json::array();

  const Tensor<4> planes = make_maps(ladder::parse_shape(shape, map_keys()), 1, ladder::Hardness::plain);
  const Tensor<4> maps = channels_last(planes);

  const auto measure = [&](const auto& mechanism, auto first, auto last, auto first_output, auto last_output) {
    const auto problem = with_maps(mechanism, planes);
    for (const int threads : {1, run.threads}) {
      const machine::ThreadScope scope(threads);
      const auto [of_first, of_last] = best_of(rounds, [&] { first(problem, first_output); }, [&] { last(problem, maps, last_output); });
      table.add({mechanism.name, fmt::format("{}", threads), fmt::format("{:.2f} ms", 1e3 * of_first), fmt::format("{:.2f} ms", 1e3 * of_last),
                 fmt::format("{:.2f}", of_last / of_first)});
      rows.push_back({{"mechanism", mechanism.name}, {"threads", threads}, {"channels first, ms", 1e3 * of_first},
                      {"channels last, ms", 1e3 * of_last}, {"ratio", of_last / of_first}});
      if (run.threads == 1) break;
    }
  };
  measure(squeeze_excitation(), squeeze_excitation_streamed, squeeze_excitation_channels_last, GatedMaps(), GatedMaps());
  measure(efficient_channel(), efficient_channel_streamed, efficient_channel_channels_last, GatedMaps(), GatedMaps());
  measure(cbam(), cbam_fused, cbam_channels_last, CbamOutput(), CbamOutput());
  measure(attention_pooling(), attention_pooling_online, attention_pooling_channels_last, AttentionPoolingOutput(), AttentionPoolingOutput());
  run.results.write("layouts", {{"shape", shape}, {"rows", rows}});
  std::cout << fmt::format("Channels first and channels last, {}\n{}\n", shape, table.text());
}

}  // namespace attention::convolutional
