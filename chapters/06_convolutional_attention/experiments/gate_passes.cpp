#include "experiments/gate_passes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "attention_pooling.hpp"
#include "bam.hpp"
#include "cbam.hpp"
#include "coordinate.hpp"
#include "efficient_channel.hpp"
#include "machine/affinity.hpp"
#include "machine/caches.hpp"
#include "machine/clock.hpp"
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

template <class F>
double seconds_of(F f) {
  const double start = machine::now_seconds();
  f();
  return machine::now_seconds() - start;
}

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

}  // namespace

void gate_passes(const ladder::ChapterRun& run) {
  const Index channels = 64, side = 56;
  // Reading and writing the batch must go beyond the last-level cache, but not take the machine's memory.
  const double image_bytes = 4.0 * static_cast<double>(channels * side * side);
  const double wanted = std::min(1.25 * static_cast<double>(machine::caches().last_level_bytes()), static_cast<double>(machine::memory().available_bytes) / 8);
  const Index batch = run.quick ? 4 : std::max<Index>(64, static_cast<Index>(wanted / image_bytes));
  const int rounds = run.quick ? 3 : 12;
  const std::string shape = fmt::format("batch={},channels={},height={}", batch, channels, side);
  program::Table table({{"mechanism"}, {"rung"}, {"threads"}, {"bare passes"}, {"the rung"}, {"ratio"}});
  Json rows = Json::array();
  double lowest = 1e9;

  const auto measure = [&](const auto& mechanism, auto run_rung, auto output, bool written) {
    const auto problem = mechanism.make(ladder::parse_shape(shape, mechanism.keys), 1, ladder::Hardness::plain);
    Tensor<4> copy;
    if (written) copy = tensor::empty<4>({problem.input.shape()[0], problem.input.shape()[1], problem.input.shape()[2], problem.input.shape()[3]});
    tensor::Buffer sums(static_cast<std::size_t>(batch));
    for (const int threads : {1, run.threads}) {
      machine::use_threads(threads);
      // The best of several: what else runs on the machine makes both slower, not the ratio.
      double passes = 1e9;
      double rung = 1e9;
      for (int round = 0; round < rounds; ++round) {
        passes = std::min(passes, seconds_of([&] { bare_passes(problem, written ? copy.data() : nullptr, sums.data()); }));
        rung = std::min(rung, seconds_of([&] { run_rung(problem, output); }));
      }
      const std::string& name = mechanism.ladder.back().name;
      table.add({mechanism.name, name, fmt::format("{}", threads), fmt::format("{:.2f} ms", 1e3 * passes),
                 fmt::format("{:.2f} ms", 1e3 * rung), fmt::format("{:.2f}", rung / passes)});
      rows.push_back({{"mechanism", mechanism.name}, {"rung", name}, {"threads", threads}, {"bare passes, ms", 1e3 * passes},
                      {"the rung, ms", 1e3 * rung}, {"ratio", rung / passes}});
      if (threads == 1 && written) {
        lowest = std::min(lowest, passes / rung);
        run.figure(mechanism.name + "_gate_roof_share", passes / rung, "1",
                   fmt::format("the time of the bare passes as a share of the time of {}'s top rung, one thread, a batch beyond the last-level cache", mechanism.title));
      }
      if (run.threads == 1) break;
    }
  };
  measure(squeeze_excitation(), squeeze_excitation_streamed, GatedMaps(), true);
  measure(efficient_channel(), efficient_channel_streamed, GatedMaps(), true);
  measure(cbam(), cbam_fused, CbamOutput(), true);
  measure(bam(), bam_factored, BamOutput(), true);
  measure(coordinate(), coordinate_streamed, CoordinateOutput(), true);
  measure(attention_pooling(), attention_pooling_online, AttentionPoolingOutput(), false);
  run.figure("gate_roof_share", lowest, "1", "the lowest of these shares over the gates");
  run.results.write("gate_passes", {{"shape", shape}, {"rows", rows}});
  std::cout << fmt::format("Top rungs against the bare passes that they must make, {}\n{}\n", shape, table.text());
}

}  // namespace attention::convolutional
