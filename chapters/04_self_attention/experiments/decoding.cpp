#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include "causal_decoder.hpp"
#include "experiments/experiments.hpp"
#include "machine/affinity.hpp"
#include "machine/clock.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"
#include "program/table.hpp"
#include "rungs/rungs.hpp"

namespace attention::self_attention {

namespace {

Problem text_of(Index n) {
  return make(Kind::causal, ladder::parse_shape(fmt::format("n={},heads=4,dim=64,width=256,positions=2", n), mechanism(Kind::causal).keys), 1,
              ladder::Hardness::plain);
}

Tensor<3> tokens_of(const Problem& p, Index first, Index count) {
  auto tokens = tensor::empty<3>({1, static_cast<std::size_t>(count), static_cast<std::size_t>(p.width())});
  std::copy_n(p.input.data() + first * p.width(), count * p.width(), tokens.data());
  return tokens;
}

/// Multiply-adds, counted as two, of one more token after `past` others: three projections, and all pairs that it sees.
double flops_of_token(const Problem& p, Index past) {
  const auto columns = static_cast<double>(p.heads() * p.dim());
  return 6 * static_cast<double>(p.width()) * columns + 4 * static_cast<double>(past + 1) * columns;
}

double seconds_of(auto&& run) {
  const double start = machine::now_seconds();
  run();
  return machine::now_seconds() - start;
}

/// Throws CheckFailed where the last row of `out` is not the float64 reference's last row, within the ladder's bound.
void check_last(const Problem& p, const Reference& last, Output& out, const char* way) {
  const auto& rungs = mechanism(Kind::causal).ladder;
  const auto fused_rung = std::ranges::find(rungs, std::string("fused"), [](const auto& rung) { return rung.name; });
  const double bound = mechanism(Kind::causal).reference_fields(p, last, fused_rung->blocks).front().bound;
  const Index row = p.heads() * p.dim();
  const float* got = out.output.data() + (out.queries() - 1) * row;
  for (Index c = 0; c < row; ++c) {
    const double error = std::abs(static_cast<double>(got[c]) - last.output.data()[c]);
    if (!(error <= bound))
      throw program::CheckFailed(fmt::format("decoding, {} tokens, {}: an output is off by {:.2g}, allowed {:.2g}", p.n(), way, error, bound));
  }
}

/// The n-th token of a text, with the cache and by a full pass.
struct NextToken {
  double recomputed;  ///< seconds, medians
  double cached;
  std::size_t cache_bytes;
};

NextToken next_token(Index n, double seconds) {
  const Problem p = text_of(n);
  Problem asked = p;
  asked.asked = {n - 1};
  const Reference last = reference(asked);
  CausalDecoder decoder(p, 1, n, KeyValueCache::Growth::fixed);
  Output out;
  if (n > 1) decoder.append(tokens_of(p, 0, n - 1), out);
  const Tensor<3> newest = tokens_of(p, n - 1, 1);
  // Short runs are timed many at a time, and in turns with the full pass, so that a slow moment of the machine meets both.
  constexpr int repeated = 16;
  const auto cached = [&] {
    for (int i = 0; i < repeated; ++i) {
      decoder.truncate(n - 1);
      decoder.append(newest, out);
    }
  };
  Output whole;
  const auto recomputed = [&] { fused(p, whole); };
  std::vector<double> with, without;
  const double until = machine::now_seconds() + seconds;
  for (int round = 0; round < 4 || machine::now_seconds() < until; ++round) {
    const double a = seconds_of(cached) / repeated;
    const double b = seconds_of(recomputed);
    // The first round warms up, and is checked instead.
    if (round == 0) {
      check_last(asked, last, out, "with the cache");
      check_last(asked, last, whole, "recomputed");
      continue;
    }
    with.push_back(a);
    without.push_back(b);
  }
  check_last(asked, last, out, "with the cache, after timing");
  check_last(asked, last, whole, "recomputed, after timing");
  return {numerics::median(without), numerics::median(with), decoder.cache().bytes()};
}

void one_token(const Context& c) {
  const std::vector<Index> lengths = c.quick ? std::vector<Index>{32, 64, 128, 256} : std::vector<Index>{128, 256, 512, 1024, 2048, 4096};
  program::Table table({{"tokens"}, {"recompute all"}, {"with the cache"}, {"times faster"}, {"times less work"}, {"cache"}});
  Json rows = Json::array();
  Json curves = Json::array();
  for (const Index n : lengths) {
    const Problem p = text_of(n);
    const NextToken t = next_token(n, c.quick ? 0.05 : 0.5);
    const double less_work = cost(p).flops / flops_of_token(p, n - 1);
    const double faster = t.recomputed / t.cached;
    const auto bytes = static_cast<double>(t.cache_bytes);
    rows.push_back({{"tokens", n}, {"recompute all, µs", 1e6 * t.recomputed}, {"with the cache, µs", 1e6 * t.cached},
                    {"times faster", faster}, {"times less work", less_work}, {"cache, MB", bytes / 1e6}});
    curves.push_back({{"tokens", n}, {"way", "recompute all"}, {"microseconds", 1e6 * t.recomputed}, {"megaflops", cost(p).flops / 1e6}});
    curves.push_back({{"tokens", n}, {"way", "with the cache"}, {"microseconds", 1e6 * t.cached}, {"megaflops", flops_of_token(p, n - 1) / 1e6}});
    table.add({fmt::format("{}", n), ladder::format_seconds(t.recomputed), ladder::format_seconds(t.cached), fmt::format("{:.0f} ×", faster),
               fmt::format("{:.0f} ×", less_work), ladder::format_bytes(bytes)});
    if (n != lengths.back()) continue;
    c.figure("decoding_times_faster", faster, "times", fmt::format("how much sooner token {} of a text is there with the key-value cache, one thread", n));
    c.figure("decoding_seconds", t.cached, "s", fmt::format("time of token {} of a text with the key-value cache, one layer, 4 heads of 64, one thread", n));
    c.figure("decoding_cache_bytes", bytes, "B", fmt::format("memory of the key-value cache of one layer, 4 heads of 64, {} tokens", n));
  }
  std::cout << fmt::format("Decoding: the next token of a text, one layer, 4 heads of 64, one thread\n{}\n", table.text());
  c.results.write("decoding", {{"threads", 1}, {"rows", rows}, {"curves", curves}});
}

/// A text that is there already, read in pieces.
void reading(const Context& c) {
  const Index n = c.quick ? 256 : 2048;
  const Problem p = text_of(n);
  Problem asked = p;
  asked.asked = {n - 1};
  const Reference last = reference(asked);
  std::vector<Index> pieces;
  for (Index piece = 1; piece <= n; piece *= 2) pieces.push_back(piece);
  std::vector<std::vector<double>> times(pieces.size());
  std::vector<std::vector<Tensor<3>>> texts(pieces.size());
  for (std::size_t i = 0; i < pieces.size(); ++i)
    for (Index first = 0; first < n; first += pieces[i]) texts[i].push_back(tokens_of(p, first, pieces[i]));
  CausalDecoder decoder(p, 1, n, KeyValueCache::Growth::fixed);
  Output out;
  for (int round = 0; round < (c.quick ? 3 : 6); ++round)
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      decoder.truncate(0);
      const double seconds = seconds_of([&] {
        for (const Tensor<3>& text : texts[i]) decoder.append(text, out);
      });
      check_last(asked, last, out, "read in pieces");
      if (round > 0) times[i].push_back(seconds);  // the first warms up
    }
  program::Table table({{"tokens a piece"}, {"time a token"}, {"GFLOP/s"}});
  Json rows = Json::array();
  const double work = cost(p).flops;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const double seconds = numerics::median(times[i]);
    const double each = seconds / static_cast<double>(n);
    rows.push_back({{"tokens a piece", pieces[i]}, {"microseconds a token", 1e6 * each}, {"GFLOP/s", work / seconds / 1e9}});
    table.add({fmt::format("{}", pieces[i]), ladder::format_seconds(each), fmt::format("{:.1f}", work / seconds / 1e9)});
  }
  c.figure("reading_gain", numerics::median(times.front()) / numerics::median(times.back()), "times",
           fmt::format("how much faster {} tokens that are there already are read at once than one by one, one thread", n));
  std::cout << fmt::format("Reading: {} tokens into the cache in pieces, one thread\n{}\n", n, table.text());
  c.results.write("reading", {{"n", n}, {"threads", 1}, {"rows", rows}});
}

}  // namespace

void decoding(const Context& c) {
  const machine::ThreadScope one(1);
  one_token(c);
  reading(c);
}

}  // namespace attention::self_attention
