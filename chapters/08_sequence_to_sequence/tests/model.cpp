// The encoder-decoder: gradients of the whole, padding, and what each kind of attention may look at.
#include "encoder_decoder.hpp"

#include <cmath>

#include "check_gradients.hpp"

namespace {

using namespace attention::sequence_to_sequence;
using attention::tests::Function;

Sizes small(Kind kind) {
  return {.source_symbols = 9, .target_symbols = 8, .embedding = 3, .encoder = 3, .decoder = 6, .units = 5, .window = 2, .dropout = 0, .kind = kind};
}

/// Sources and targets of several lengths.
const std::vector<Pair>& some_pairs() {
  static const std::vector<Pair> pairs{{{4, 5, 6, 7, 8}, {4, 5}}, {{6}, {7, 6, 5, 4}}, {{8, 8, 4}, {5}}};
  return pairs;
}

std::vector<const Pair*> pointers(const std::vector<Pair>& pairs) {
  std::vector<const Pair*> all;
  for (const Pair& pair : pairs) all.push_back(&pair);
  return all;
}

}  // namespace

TEST_CASE("the gradients of the whole encoder-decoder are right, for every kind of attention", "[sequence_to_sequence][autograd]") {
  for (const Kind kind : all_kinds) {
    INFO(name_of(kind));
    EncoderDecoder<double> model(small(kind), 7);
    const double worst = attention::tests::worst_parameter_gradient(
        model.parameters(), [&](Tape<double>& tape) { return model.loss(tape, pointers(some_pairs()), 10); }, 7);
    CHECK(worst <= 1);
  }
}

TEST_CASE("where scores are products with the embeddings, these get the gradients of both uses", "[sequence_to_sequence][autograd]") {
  Sizes sizes = small(Kind::additive);
  sizes.tied = true;
  EncoderDecoder<double> model(sizes, 7);
  const double worst = attention::tests::worst_parameter_gradient(
      model.parameters(), [&](Tape<double>& tape) { return model.loss(tape, pointers(some_pairs()), 10); }, 7);
  CHECK(worst <= 1);
  for (const auto& p : model.parameters()) CHECK(p.name != "output.weights");
}

TEST_CASE("a pair's loss does not depend on what it is padded with or stands beside", "[sequence_to_sequence]") {
  for (const Kind kind : all_kinds) {
    INFO(name_of(kind));
    const EncoderDecoder<double> model(small(kind), 3);
    Tape<double> together;
    const double sum = model.loss(together, pointers(some_pairs()), 1).data()[0];
    double alone = 0;
    for (const Pair& pair : some_pairs()) {
      Tape<double> tape;
      alone += model.loss(tape, {&pair}, 1).data()[0];
    }
    CHECK(sum == Catch::Detail::Approx(alone).epsilon(1e-12));
  }
}

TEST_CASE("the decoder's steps say what training is told", "[sequence_to_sequence]") {
  for (const Kind kind : all_kinds) {
    INFO(name_of(kind));
    const EncoderDecoder<double> model(small(kind), 5);
    Tape<double> tape(attention::autograd::Mode::evaluation);
    const std::vector<Pair>& pairs = some_pairs();
    std::vector<const Symbols*> sources, targets;
    for (const Pair& pair : pairs) {
      sources.push_back(&pair.source);
      targets.push_back(&pair.target);
    }
    const auto read = model.read(tape, closed(sources));
    const Padded wanted = closed(targets), given = shifted(wanted);
    Variable<double> state = read.state;
    double loss = 0;
    for (Index t = 0; t < wanted.time; ++t) {
      const auto at = given.symbols.begin() + t * given.batch;
      const auto step = model.step(read, state, {at, at + given.batch}, t);
      state = step.state;
      for (Index b = 0; b < wanted.batch; ++b) {
        const double* row = step.scores.data() + b * 8;
        double sum = 0;
        for (Index i = 0; i < 8; ++i) sum += std::exp(row[i]);
        if (t < wanted.lengths[static_cast<std::size_t>(b)])
          loss += std::log(sum) - row[wanted.symbols[static_cast<std::size_t>(t * wanted.batch + b)]];
      }
    }
    Tape<double> other;
    CHECK(loss == Catch::Detail::Approx(model.loss(other, pointers(pairs), 1).data()[0]).epsilon(1e-12));
  }
}

TEST_CASE("attention weights sum to 1 and stay within the sequence and the window", "[sequence_to_sequence]") {
  for (const Kind kind : all_kinds) {
    if (kind == Kind::none) continue;
    INFO(name_of(kind));
    attention::numerics::Random random(1);
    const Index width = 6, places = 9, queries = 8;
    const Attention<double> attention(kind, width, width, 5, 2, random);
    Tape<double> tape(attention::autograd::Mode::evaluation);
    const std::vector<Index> lengths{9, 4};
    const auto memory = attention.prepare(tape.constant(attention::tests::random_array({9, 2, 6}, 1)), lengths);
    const auto seen = attention(memory, tape.constant(attention::tests::random_array({2, 8, 6}, 2)), 0);
    for (Index b = 0; b < 2; ++b)
      for (Index i = 0; i < queries; ++i) {
        const double* row = seen.weights.data() + (b * queries + i) * places;
        double sum = 0;
        Index first = places, last = -1;
        for (Index j = 0; j < places; ++j) {
          sum += row[j];
          if (row[j] == 0) continue;
          first = std::min(first, j);
          last = j;
        }
        CHECK(last < lengths[static_cast<std::size_t>(b)]);
        if (kind == Kind::local_p) {
          CHECK(sum <= 1);
          CHECK(last - first <= 4);
          CHECK(sum > 0);
        } else {
          CHECK(sum == Catch::Detail::Approx(1));
        }
        if (kind == Kind::local_m) {
          const Index centre = std::min(i, lengths[static_cast<std::size_t>(b)] - 1);
          CHECK(first == std::max<Index>(0, centre - 2));
          CHECK(last == std::min(lengths[static_cast<std::size_t>(b)] - 1, centre + 2));
        }
      }
  }
}
