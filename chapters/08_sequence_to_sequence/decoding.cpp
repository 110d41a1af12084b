#include "decoding.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "program/in_parallel.hpp"

namespace attention::sequence_to_sequence {

namespace {

using autograd::Mode;

/// Sources that go through the model together.
constexpr Index side_by_side = 64;

Index most_steps(Index most, const Padded& source) { return most > 0 ? most : 2 * source.time + 10; }

/// A row's scores as logarithms of probabilities; what no answer may hold gets −∞.
void log_probabilities(const float* scores, const Search& search, std::vector<double>& to) {
  const double largest = static_cast<double>(*std::max_element(scores, scores + to.size()));
  double sum = 0;
  for (std::size_t i = 0; i < to.size(); ++i) sum += std::exp(static_cast<double>(scores[i]) - largest);
  const double lse = largest + std::log(sum);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<double>(scores[i]) - lse;
  to[padding] = to[begin_mark] = -INFINITY;
  if (!search.unknown_too) to[unknown] = -INFINITY;
}

/// Row `row` of what was looked at in a step, as long as its source.
std::vector<float> looked_at(const EncoderDecoder<float>::Step& step, Index row, const Padded& source) {
  const Index places = step.weights.extent(-1);
  const float* from = step.weights.data() + row * places;
  return {from, from + source.lengths[size(row)]};
}

/// One beginning of an answer.
struct Hypothesis {
  Answer answer;
  bool alive = false;
};

double rank(const Answer& answer, double power) {
  return answer.log_probability / std::pow(static_cast<double>(answer.symbols.size() + 1), power);
}

/// A continuation: of which hypothesis, by which symbol.
struct Continuation {
  double log_probability;
  Index slot;
  int symbol;
};

}  // namespace

std::vector<Answer> greedy(const EncoderDecoder<float>& model, const std::vector<const Symbols*>& sources, const Search& search) {
  const Padded source = closed(sources);
  Tape<float> tape(Mode::evaluation);
  const auto read = model.read(tape, source);
  Variable<float> state = read.state;
  std::vector<Answer> all(sources.size());
  std::vector<Index> previous(sources.size(), begin_mark);
  std::vector<double> logs(size(model.sizes().target_symbols));
  std::vector<bool> ended(sources.size(), false);
  for (Index t = 0; t < most_steps(search.most, source) && std::ranges::count(ended, false) > 0; ++t) {
    const auto step = model.step(read, state, previous, t);
    state = step.state;
    for (std::size_t b = 0; b < sources.size(); ++b) {
      if (ended[b]) continue;
      log_probabilities(step.scores.data() + b * logs.size(), search, logs);
      const auto best = std::ranges::max_element(logs);
      const int symbol = static_cast<int>(best - logs.begin());
      all[b].log_probability += *best;
      if (model.sizes().kind != Kind::none) all[b].weights.push_back(looked_at(step, static_cast<Index>(b), source));
      ended[b] = symbol == end_mark;
      if (!ended[b]) all[b].symbols.push_back(symbol);
      previous[b] = symbol;
    }
  }
  return all;
}

std::vector<Answer> beam(const EncoderDecoder<float>& model, const std::vector<const Symbols*>& sources, const Search& search) {
  // A source has `width` rows, one for each hypothesis; at first only the first of them is alive.
  const Index width = search.width, rows = std::ssize(sources) * width;
  std::vector<const Symbols*> repeated;
  for (const Symbols* s : sources) repeated.insert(repeated.end(), size(width), s);
  const Padded source = closed(repeated);
  Tape<float> tape(Mode::evaluation);
  const auto read = model.read(tape, source);
  Variable<float> state = read.state;
  std::vector<Hypothesis> kept(size(rows));
  for (Index row = 0; row < rows; row += width) kept[size(row)].alive = true;
  std::vector<std::vector<Answer>> finished(sources.size());
  std::vector<double> logs(size(model.sizes().target_symbols));
  std::vector<Continuation> continuations;
  const auto any_alive = [&] { return std::ranges::any_of(kept, &Hypothesis::alive); };
  for (Index t = 0; t < most_steps(search.most, source) && any_alive(); ++t) {
    std::vector<Index> previous;
    for (const Hypothesis& h : kept) previous.push_back(h.answer.symbols.empty() ? begin_mark : h.answer.symbols.back());
    const auto step = model.step(read, state, previous, t);
    std::vector<Hypothesis> next(kept.size());
    std::vector<Index> parents(kept.size());
    std::iota(parents.begin(), parents.end(), Index{0});
    for (std::size_t b = 0; b < sources.size(); ++b) {
      const Index first = static_cast<Index>(b) * width;
      continuations.clear();
      for (Index slot = first; slot < first + width; ++slot) {
        if (!kept[size(slot)].alive) continue;
        log_probabilities(step.scores.data() + size(slot) * logs.size(), search, logs);
        for (std::size_t i = 0; i < logs.size(); ++i)
          if (std::isfinite(logs[i])) continuations.push_back({kept[size(slot)].answer.log_probability + logs[i], slot, static_cast<int>(i)});
      }
      const Index count = std::min<Index>(width, std::ssize(continuations));
      std::partial_sort(continuations.begin(), continuations.begin() + count, continuations.end(), [](const Continuation& a, const Continuation& c) {
        return a.log_probability != c.log_probability ? a.log_probability > c.log_probability : std::pair(a.slot, a.symbol) < std::pair(c.slot, c.symbol);
      });
      Index filled = first;
      for (Index i = 0; i < count; ++i) {
        const Continuation& c = continuations[size(i)];
        Answer answer = kept[size(c.slot)].answer;
        answer.log_probability = c.log_probability;
        if (model.sizes().kind != Kind::none) answer.weights.push_back(looked_at(step, c.slot, source));
        if (c.symbol == end_mark) {
          finished[b].push_back(std::move(answer));
          continue;
        }
        answer.symbols.push_back(c.symbol);
        parents[size(filled)] = c.slot;
        next[size(filled++)] = {std::move(answer), true};
      }
      if (std::ssize(finished[b]) >= width)
        for (Index slot = first; slot < filled; ++slot) next[size(slot)].alive = false;
    }
    // Each row goes on from its parent's state.
    ArrayOf<float> states = tensor::empty_array<float>(step.state.shape());
    const Index units = step.state.extent(1);
    for (Index row = 0; row < rows; ++row) std::copy_n(step.state.data() + parents[size(row)] * units, units, states.data() + row * units);
    state = tape.constant(std::move(states));
    kept = std::move(next);
  }
  std::vector<Answer> best;
  for (std::size_t b = 0; b < sources.size(); ++b) {
    auto& candidates = finished[b];
    if (candidates.empty())  // cut off
      for (Index slot = 0; slot < width; ++slot)
        if (Hypothesis& h = kept[b * size(width) + size(slot)]; h.alive) candidates.push_back(std::move(h.answer));
    best.push_back(*std::ranges::max_element(candidates, {}, [&](const Answer& a) { return rank(a, search.length_power); }));
  }
  return best;
}

std::vector<Answer> answers(const EncoderDecoder<float>& model, const std::vector<Symbols>& sources, const Search& search) {
  std::vector<std::size_t> order(sources.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return sources[i].size(); });
  const std::size_t together = size(std::max<Index>(1, side_by_side / search.width));
  std::vector<Answer> all(sources.size());
  program::in_parallel((sources.size() + together - 1) / together, [&](std::size_t batch) {
    const std::size_t first = batch * together, last = std::min(sources.size(), first + together);
    std::vector<const Symbols*> some;
    for (std::size_t i = first; i < last; ++i) some.push_back(&sources[order[i]]);
    std::vector<Answer> found = search.width == 1 ? greedy(model, some, search) : beam(model, some, search);
    for (std::size_t i = first; i < last; ++i) all[order[i]] = std::move(found[i - first]);
  });
  return all;
}

}  // namespace attention::sequence_to_sequence
