#include "experiments/gate_passes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <type_traits>

#include "attention_pooling.hpp"
#include "bam.hpp"
#include "cbam.hpp"
#include "coordinate.hpp"
#include "efficient_channel.hpp"
#include "experiments/best_of.hpp"
#include "machine/affinity.hpp"
#include "program/table.hpp"
#include "rungs/attention_pooling_rungs.hpp"
#include "rungs/bam_rungs.hpp"
#include "rungs/cbam_rungs.hpp"
#include "rungs/coordinate_rungs.hpp"
#include "rungs/efficient_channel_rungs.hpp"
#include "rungs/map.hpp"
#include "rungs/squeeze_excitation_rungs.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

namespace {

/// Every image read twice, and where `output` is not null written: nothing is computed that takes time.
void bare_passes(const FeatureMaps& p, float* output, float* sums) {
  const Index places = p.places();
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b) {
      float sum = 0;
      for (Index c = 0; c < p.channels(); ++c) sum += map_sum(p.map_of(b, c), places);
      for (Index c = p.channels() - 1; c >= 0; --c)
        if (output)
          scale_map<true>(p.map_of(b, c), places, sum, output + (b * p.channels() + c) * places);
        else
          sum += map_sum(p.map_of(b, c), places);
      // So that no compiler leaves a pass away.
      sums[b] = sum;
    }
    finish_streaming();
  }
}

/// Every image read and written at once, or, where `output` is null, read: what the memory does in the time that it takes.
void copy(const FeatureMaps& p, float* output, float* sums) {
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < p.batch(); ++b)
      if (output)
        scale_map<true>(p.image_of(b), p.image_size(), 1.5F, output + b * p.image_size());
      else
        sums[b] = map_sum(p.image_of(b), p.image_size());
    finish_streaming();
  }
}

}  // namespace

void gate_passes(const ladder::ChapterRun& run) {
  const Index channels = 64, side = 56;
  const Index batch = run.quick ? 4 : batch_beyond_cache(4.0 * static_cast<double>(channels * side * side));
  const int rounds = run.quick ? 3 : 12;
  const std::string shape = fmt::format("batch={},channels={},height={}", batch, channels, side);
  program::Table table({{"mechanism"}, {"rung"}, {"threads"}, {"copy"}, {"bare passes"}, {"the rung"}, {"share of the copy's speed"}});
  Json rows = Json::array();
  double lowest = 1e9;

  // Read by all, and written to by all: memory that is new is slow at first.
  const FeatureMaps maps{make_maps(ladder::parse_shape(shape, map_keys()), 1, ladder::Hardness::plain)};
  Tensor<4> written_maps = tensor::empty<4>(maps.input.shape());
  tensor::Buffer sums(static_cast<std::size_t>(batch));

  const auto measure = [&](const auto& mechanism, auto run_rung, auto output) {
    const auto problem = with_maps(mechanism, maps.input);
    constexpr bool written = std::is_same_v<decltype(output.output), Tensor<4>>;
    float* const to = written ? written_maps.data() : nullptr;
    if constexpr (written) output.output = tensor::lent<4>(to, maps.input.shape());
    for (const int threads : {1, run.threads}) {
      const machine::ThreadScope scope(threads);
      const auto [copied, passes, rung] = best_of(
          rounds, [&] { copy(problem, to, sums.data()); }, [&] { bare_passes(problem, to, sums.data()); },
          [&] { run_rung(problem, output); });
      const double share = copied / rung;
      const std::string name(mechanism.ladder.back().name);
      table.add({mechanism.name, name, fmt::format("{}", threads), fmt::format("{:.2f} ms", 1e3 * copied),
                 fmt::format("{:.2f} ms", 1e3 * passes), fmt::format("{:.2f} ms", 1e3 * rung), fmt::format("{:.2f}", share)});
      rows.push_back({{"mechanism", mechanism.name}, {"rung", name}, {"threads", threads}, {"copy, ms", 1e3 * copied},
                      {"bare passes, ms", 1e3 * passes}, {"the rung, ms", 1e3 * rung}, {"share of the copy's speed", share}});
      if (threads == 1 && written) {
        lowest = std::min(lowest, share);
        run.figure(mechanism.name + "_gate_roof_share", share, "1",
                   fmt::format("the time of reading and writing the maps at once as a share of the time of {}'s top rung, one thread, a batch beyond the last-level cache", mechanism.title));
      }
      if (run.threads == 1) break;
    }
  };
  measure(squeeze_excitation(), squeeze_excitation_ahead, GatedMaps());
  measure(efficient_channel(), efficient_channel_ahead, GatedMaps());
  measure(cbam(), cbam_ahead, CbamOutput());
  measure(bam(), bam_ahead, BamOutput());
  measure(coordinate(), coordinate_ahead, CoordinateOutput());
  measure(attention_pooling(), attention_pooling_online, AttentionPoolingOutput());
  run.figure("gate_roof_share", lowest, "1", "the lowest of these shares over the gates");
  run.results.write("gate_passes", {{"shape", shape}, {"rows", rows}});
  std::cout << fmt::format("Top rungs against a copy, and against the bare passes, {}\n{}\n", shape, table.text());
}

}  // namespace attention::convolutional
