// What is learnt: twenty words by heart, the same weights with any number of threads; and how answers are looked for.
#include <omp.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "catch.hpp"
#include "small_words.hpp"

using namespace attention;
using namespace attention::tests;

TEST_CASE("a tiny model learns twenty words by heart, with every kind of attention", "[sequence_to_sequence]") {
  const std::vector<Pair> pairs = twenty_words();
  for (const Kind kind : all_kinds) {
    INFO(name_of(kind));
    EncoderDecoder<float> model(small_sizes(kind), 1);
    const double loss = train_small(model, pairs, 150);
    CHECK(loss < 0.1);
    CHECK(right_of(answers(model, sources_of(pairs)), pairs) == 20);
  }
}

TEST_CASE("the weights after some steps are the same with any number of threads", "[sequence_to_sequence]") {
  const std::vector<Pair> pairs = twenty_words();
  const int most = omp_get_max_threads();
  const auto weights_with = [&](int threads) {
    omp_set_num_threads(threads);
    Sizes sizes = small_sizes(Kind::additive);
    sizes.dropout = 0.2;
    EncoderDecoder<float> model(sizes, 1);
    train_small(model, pairs, 3, 4);
    std::vector<float> all;
    for (const auto& p : model.parameters()) all.insert(all.end(), p.parameter->value.begin(), p.parameter->value.end());
    return all;
  };
  const std::vector<float> one = weights_with(1), two = weights_with(2), four = weights_with(4);
  omp_set_num_threads(most);
  REQUIRE(one.size() == two.size());
  CHECK(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(one.data(), four.data(), one.size() * sizeof(float)) == 0);
}

TEST_CASE("a beam of one is greedy, and a beam that holds everything finds the best answer", "[sequence_to_sequence]") {
  const std::vector<Pair> pairs = twenty_words();
  for (const Kind kind : {Kind::none, Kind::additive, Kind::local_m}) {
    INFO(name_of(kind));
    EncoderDecoder<float> model(small_sizes(kind), 3);
    // Half learnt: it hesitates between answers.
    train_small(model, pairs, 25);
    std::vector<const Symbols*> sources;
    for (const Pair& pair : pairs) sources.push_back(&pair.source);
    const std::vector<Answer> one = greedy(model, sources, {.most = 4}), also = beam(model, sources, {.width = 1, .most = 4});
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      CHECK(one[i].symbols == also[i].symbols);
      CHECK(one[i].log_probability == Catch::Detail::Approx(also[i].log_probability).epsilon(1e-5));
      CHECK(one[i].weights.size() == (kind == Kind::none ? 0 : one[i].symbols.size() + (one[i].symbols.size() < 4 ? 1 : 0)));
    }
    // All answers of at most two symbols: with the end mark 1 + 5 + 25 of them can end within three steps.
    const auto everything = beam(model, {&pairs[0].source}, {.width = 200, .length_power = 0, .most = 3}).front();
    double best = -INFINITY;
    Symbols best_symbols;
    const std::function<void(const Symbols&)> visit = [&](const Symbols& said) {
      const Pair pair{pairs[0].source, said};
      Tape<float> tape(autograd::Mode::evaluation);
      const double log_probability = -static_cast<double>(model.loss(tape, {&pair}, 1).data()[0]);
      if (log_probability > best) {
        best = log_probability;
        best_symbols = said;
      }
      if (said.size() == 2) return;
      for (int symbol = first_symbol; symbol < first_symbol + 5; ++symbol) {
        Symbols longer = said;
        longer.push_back(symbol);
        visit(longer);
      }
    };
    visit({});
    CHECK(everything.symbols == best_symbols);
    CHECK(everything.log_probability == Catch::Detail::Approx(best).epsilon(1e-4));
  }
}

TEST_CASE("an answer does not depend on what else is asked", "[sequence_to_sequence]") {
  const std::vector<Pair> pairs = twenty_words();
  EncoderDecoder<float> model(small_sizes(Kind::additive), 4);
  train_small(model, pairs, 40);
  for (const Index width : {1, 3}) {
    const std::vector<Answer> all = answers(model, sources_of(pairs), {.width = width});
    for (std::size_t i = 0; i < pairs.size(); ++i) CHECK(answers(model, {pairs[i].source}, {.width = width}).front().symbols == all[i].symbols);
  }
}
