// What multi-head attention must do whatever the numbers: for every rung.
#include <algorithm>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "multi_head.hpp"

using namespace attention;
using namespace attention::multi_head;
using tests::for_every_rung;
using tests::largest_difference;

namespace {

Problem sample(const char* shape) {
  return make(ladder::parse_shape(shape, mechanism().keys), 7, ladder::Hardness::plain);
}

Tensor<3> heads_in_order(const Tensor<3>& W, const std::vector<Index>& order) {
  auto to = tensor::empty<3>({order.size(), W.shape()[1], W.shape()[2]});
  const Index matrix = tensor::extent(W, 1) * tensor::extent(W, 2);
  for (std::size_t h = 0; h < order.size(); ++h)
    std::copy_n(W.data() + order[h] * matrix, matrix, to.data() + static_cast<Index>(h) * matrix);
  return to;
}

}  // namespace

TEST_CASE("multi-head: one head with identity projections is chapter 2's attention", "[identity]") {
  Problem p = sample("n=41,width=12,key_heads=1,dim=12");
  for (Tensor<3>* W : {&p.W_Q, &p.W_K, &p.W_V, &p.W_O}) {
    W->fill(0);
    for (Index c = 0; c < 12; ++c) W->data()[c * 12 + c] = 1;
  }
  dot_product::Problem plain;
  for (Tensor<4>* t : {&plain.query, &plain.key, &plain.value}) {
    *t = tensor::empty<4>({1, 1, 41, 12});
    std::copy_n(p.input.data(), 41 * 12, t->data());
  }
  plain.scale = 1 / std::sqrt(12.F);
  const dot_product::Reference expected = dot_product::reference(plain);
  for_every_rung(mechanism(), [&](const auto& rung) {
    Output out;
    rung.run(p, out);
    for (Index i = 0; i < 41 * 12; ++i)
      CHECK(std::abs(static_cast<double>(out.output.data()[i]) - expected.output.data()[i]) < 3e-6);
  });
}

TEST_CASE("multi-head: heads in another order, with their rows of W_O, change nothing", "[identity]") {
  const Problem p = sample("batch=2,n=30,width=20,key_heads=5,dim=7");
  Problem other = p;
  const std::vector<Index> order{3, 0, 4, 1, 2};
  for (Tensor<3>* W : {&other.W_Q, &other.W_K, &other.W_V, &other.W_O}) *W = heads_in_order(*W, order);
  for_every_rung(mechanism(), [&](const auto& rung) {
    Output a, b;
    rung.run(p, a);
    rung.run(other, b);
    CHECK(largest_difference(a.output, b.output) < 3e-6F);
  });
}

TEST_CASE("grouped-query: shared key heads are the same as copies of them", "[identity]") {
  const Problem shared = sample("n=70,width=33,key_heads=2,group=3,dim=9");
  Problem copied = shared;
  copied.W_K = heads_in_order(shared.W_K, {0, 0, 0, 1, 1, 1});
  copied.W_V = heads_in_order(shared.W_V, {0, 0, 0, 1, 1, 1});
  for_every_rung(mechanism(), [&](const auto& rung) {
    Output a, b;
    rung.run(shared, a);
    rung.run(copied, b);
    CHECK(largest_difference(a.output, b.output) < 3e-6F);
  });
}

TEST_CASE("multi-head: h heads are the sum of what each gives alone, O_h times its rows of W_O", "[identity]") {
  for (const char* shape : {"batch=2,n=45,width=20,key_heads=5,dim=7", "n=70,width=33,key_heads=2,group=3,dim=16"}) {
    const Problem p = sample(shape);
    const Index group = p.heads() / p.key_heads();
    const Reference whole = reference(p);
    for_every_rung(mechanism(), [&](const auto& rung) {
      Output together;
      rung.run(p, together);
      // Each answer may be off by its bound; the sum itself is taken in float64.
      double bound = mechanism().reference_fields(p, whole, rung.blocks)[0].bound;
      std::vector<double> sum(together.output.size(), 0.0);
      for (Index h = 0; h < p.heads(); ++h) {
        Problem alone = p;
        alone.W_Q = heads_in_order(p.W_Q, {h});
        alone.W_K = heads_in_order(p.W_K, {h / group});
        alone.W_V = heads_in_order(p.W_V, {h / group});
        alone.W_O = heads_in_order(p.W_O, {h});
        const Reference r = reference(alone);
        bound += mechanism().reference_fields(alone, r, rung.blocks)[0].bound;
        Output out;
        rung.run(alone, out);
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(out.output.data()[i]);
      }
      double largest = 0;
      for (std::size_t i = 0; i < sum.size(); ++i)
        largest = std::max(largest, std::abs(static_cast<double>(together.output.data()[i]) - sum[i]));
      CHECK(largest <= bound);
    });
  }
}

TEST_CASE("multi-head: some rows are those rows of all", "[identity]") {
  const Problem p = sample("batch=2,n=50,width=17,key_heads=3,dim=8");
  const std::vector<Index> rows{0, 3, 31, 49};
  const Problem part = take_rows(p, rows);
  for_every_rung(mechanism(), [&](const auto& rung) {
    Output all, some;
    rung.run(p, all);
    rung.run(part, some);
    for (Index b = 0; b < 2; ++b)
      for (std::size_t i = 0; i < rows.size(); ++i)
        for (Index c = 0; c < 17; ++c)
          CHECK(std::abs(some.output.data()[(b * 4 + static_cast<Index>(i)) * 17 + c] - all.output.data()[(b * 50 + rows[i]) * 17 + c]) < 3e-6F);
  });
}

TEST_CASE("multi-head: a NaN reaches all rows of its sequence, and no other sequence", "[identity]") {
  Problem p = sample("batch=2,n=70,width=33,key_heads=3,dim=9");
  const Problem clean = p;
  p.input(1, 40, 5) = std::numeric_limits<float>::quiet_NaN();
  for_every_rung(mechanism(), [&](const auto& rung) {
    Output with, without;
    rung.run(p, with);
    rung.run(clean, without);
    const auto* first = with.output.data();
    CHECK(std::equal(first, first + 70 * 33, without.output.data()));
    CHECK(std::all_of(first + 70 * 33, first + 2 * 70 * 33, [](float x) { return std::isnan(x); }));
  });
}

TEST_CASE("multi-head: with a causal mask a later row changes no earlier one bit for bit", "[identity]") {
  const Problem p = sample("batch=2,n=150,width=33,key_heads=3,dim=9,causal=1");
  const Index unchanged = (150 + 100) * 33;  // the first sequence, and the second's rows before the change
  for (const float value : {1000.F, std::numeric_limits<float>::quiet_NaN()}) {
    Problem later = p;
    for (Index c = 0; c < 33; ++c) later.input(1, 100, static_cast<std::size_t>(c)) = value;
    for_every_rung(mechanism(), [&](const auto& rung) {
      // These multiply what is masked by a weight of 0, as chapter 2's rungs of these names do: 0 · NaN is NaN.
      if (std::isnan(value) && (rung.name == "formula" || rung.name == "simd" || rung.name == "openblas")) return;
      Output before, after;
      rung.run(p, before);
      rung.run(later, after);
      CHECK(std::equal(before.output.data(), before.output.data() + unchanged, after.output.data()));
      CHECK_FALSE(std::equal(before.output.data() + unchanged, before.output.data() + unchanged + 33, after.output.data() + unchanged));
    });
  }
}
