#include <fmt/format.h>

#include <iostream>
#include <vector>

#include "experiments/experiments.hpp"
#include "machine/affinity.hpp"
#include "machine/clock.hpp"
#include "numerics/statistics.hpp"
#include "program/table.hpp"

namespace attention::multi_head {

namespace {

/// Lengths are timed in turns, so that a slow moment of the machine meets all of them.
std::vector<double> median_seconds(const SentenceEncoder& encoder, const std::vector<std::vector<std::size_t>>& sentences, double seconds) {
  std::vector<std::vector<double>> times(sentences.size());
  const double until = machine::now_seconds() + seconds;
  for (int round = 0; round < 4 || machine::now_seconds() < until; ++round)
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      const double start = machine::now_seconds();
      (void)encoder.embed_pieces(sentences[i]);
      if (round > 0) times[i].push_back(machine::now_seconds() - start);  // the first warms up
    }
  std::vector<double> medians;
  for (const std::vector<double>& t : times) medians.push_back(numerics::median(t));
  return medians;
}

}  // namespace

void encoder_speed(const ladder::ChapterRun& run, const SentenceEncoder* encoder) {
  if (encoder == nullptr) return;  // the experiment before has said so
  const std::vector<Index> lengths{1, 4, 16, 32, 64, SentenceEncoder::most_tokens};
  std::vector<std::vector<std::size_t>> sentences;
  for (const Index n : lengths) {
    sentences.emplace_back();
    // Pieces from all over the table, as a text's are.
    for (Index i = 0; i < n; ++i) sentences.back().push_back(static_cast<std::size_t>(6 + i * 7919) % encoder->tokeniser().size());
  }
  Json rows = Json::array();
  program::Table table({{"threads"}, {"tokens"}, {"time"}, {"GFLOP/s"}, {"share of fma"}});
  std::vector<int> teams{1};
  if (run.threads > 1) teams.push_back(run.threads);
  for (const int threads : teams) {
    const machine::ThreadScope scope(threads);
    const std::vector<double> seconds = median_seconds(*encoder, sentences, run.quick ? 0.1 : 1.5);
    run.roofs.refresh(threads, machine::Rates::arithmetic);
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      const double rate = encoder->flops(lengths[i]) / seconds[i];
      const double share = rate / run.roofs.values(threads).fma;
      table.add({std::to_string(threads), std::to_string(lengths[i]), fmt::format("{:.2f} ms", 1e3 * seconds[i]), fmt::format("{:.1f}", rate / 1e9),
                 fmt::format("{:.0f} %", 100 * share)});
      rows.push_back({{"threads", threads}, {"tokens", lengths[i]}, {"milliseconds", 1e3 * seconds[i]}, {"gigaflop_per_second", rate / 1e9},
                      {"share_of_fma", share}});
      if (threads == 1 && lengths[i] == 16)
        run.figure("encoder_16_tokens_milliseconds", 1e3 * seconds[i], "ms", "a sentence of 16 pieces through the encoder, one thread");
      if (threads == 1 && lengths[i] == SentenceEncoder::most_tokens)
        run.figure("encoder_128_tokens_milliseconds", 1e3 * seconds[i], "ms", "a sentence of 128 pieces, one thread");
    }
  }
  std::cout << fmt::format("The sentence encoder, by the length of a sentence\n{}\n", table.text());
  run.results.write("encoder_speed", {{"rows", rows}});
}

}  // namespace attention::multi_head
