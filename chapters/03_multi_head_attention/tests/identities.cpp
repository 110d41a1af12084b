// What multi-head attention must do whatever the numbers, and rungs that are wrong on purpose.
#include <algorithm>
#include <cmath>

#include "catch.hpp"
#include "check_rung.hpp"
#include "ladder/publish.hpp"
#include "machine/affinity.hpp"
#include "multi_head.hpp"

using namespace attention;
using namespace attention::multi_head;

namespace {

Problem sample(const char* shape) {
  return make(ladder::parse_shape(shape, mechanism().keys), 7, ladder::Hardness::plain);
}

float largest_difference(const Tensor<3>& a, const Tensor<3>& b) {
  float largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const float difference = std::abs(a.data()[i] - b.data()[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

template <class Body>
void for_every_rung(Body body) {
  machine::use_threads(2);
  for (const auto& rung : mechanism().ladder) {
    INFO(rung.name);
    body(rung);
  }
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
  for_every_rung([&](const auto& rung) {
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
  for_every_rung([&](const auto& rung) {
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
  for_every_rung([&](const auto& rung) {
    Output a, b;
    rung.run(shared, a);
    rung.run(copied, b);
    CHECK(largest_difference(a.output, b.output) < 3e-6F);
  });
}

TEST_CASE("multi-head: some rows are those rows of all", "[identity]") {
  const Problem p = sample("batch=2,n=50,width=17,key_heads=3,dim=8");
  const std::vector<Index> rows{0, 3, 31, 49};
  const Problem part = take_rows(p, rows);
  for_every_rung([&](const auto& rung) {
    Output all, some;
    rung.run(p, all);
    rung.run(part, some);
    for (Index b = 0; b < 2; ++b)
      for (std::size_t i = 0; i < rows.size(); ++i)
        for (Index c = 0; c < 17; ++c)
          CHECK(std::abs(some.output.data()[(b * 4 + static_cast<Index>(i)) * 17 + c] - all.output.data()[(b * 50 + rows[i]) * 17 + c]) < 3e-6F);
  });
}

namespace {

struct Faults {
  bool mixed_heads = false;      ///< the concatenation has two heads exchanged
  bool transposed_output = false;  ///< W_O[h] read as its transpose
  bool width_scale = false;      ///< 1/sqrt(width)
  bool dropped_head = false;     ///< the last head is forgotten
  bool forgotten_row = false;    ///< the last key is
};

/// Plain loops in float64, right but for `faults`.
template <Faults faults>
void broken(const Problem& p, Output& out) {
  prepare(p, out);
  const Index n = p.n(), width = p.width(), dim = p.dim(), heads = p.heads();
  const auto entry = [&](const Tensor<3>& W, Index head, Index b, Index i, Index c) {
    double sum = 0;
    for (Index w = 0; w < width; ++w)
      sum += static_cast<double>(p.input_of(b)[i * width + w]) * static_cast<double>(W.data()[(head * width + w) * dim + c]);
    return sum;
  };
  const double scale = 1 / std::sqrt(static_cast<double>(faults.width_scale ? width : dim));
  out.output.fill(0);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < heads - (faults.dropped_head && heads > 1 ? 1 : 0); ++h) {
      const Index g = h / (heads / p.key_heads());
      std::vector<double> Q, K, V;
      for (Index i = 0; i < n; ++i)
        for (Index c = 0; c < dim; ++c) {
          Q.push_back(entry(p.W_Q, h, b, i, c));
          K.push_back(entry(p.W_K, g, b, i, c));
          V.push_back(entry(p.W_V, g, b, i, c));
        }
      const Index keys = faults.forgotten_row && n > 1 ? n - 1 : n;
      for (Index i = 0; i < p.queries(); ++i) {
        std::vector<double> weights;
        double largest = -1e300;
        for (Index j = 0; j < keys; ++j) {
          double score = 0;
          for (Index c = 0; c < dim; ++c)
            score += Q[static_cast<std::size_t>(p.row(i) * dim + c)] * K[static_cast<std::size_t>(j * dim + c)];
          weights.push_back(score * scale);
          largest = std::max(largest, score * scale);
        }
        double total = 0;
        for (double& w : weights) total += w = std::exp(w - largest);
        const Index to = faults.mixed_heads && heads > 1 ? (h == 0 ? 1 : h == 1 ? 0 : h) : h;
        for (Index c = 0; c < dim; ++c) {
          double head = 0;
          for (Index j = 0; j < keys; ++j)
            head += weights[static_cast<std::size_t>(j)] / total * V[static_cast<std::size_t>(j * dim + c)];
          for (Index w = 0; w < width; ++w) {
            const Index at = faults.transposed_output ? w * dim + c : c * width + w;
            out.output.data()[(b * p.queries() + i) * width + w] +=
                static_cast<float>(head * static_cast<double>(p.W_O.data()[to * dim * width + at]));
          }
        }
      }
    }
}

std::string fault_of(void (*run)(const Problem&, Output&)) {
  MultiHead wrong = mechanism();
  wrong.ladder = {{"broken", "wrong on purpose", run, nullptr, {}, false}};
  return tests::fault_of(*ladder::publish(wrong), 0);
}

}  // namespace

TEST_CASE("multi-head: the broken rung's own loops are right without a fault", "[broken]") { CHECK(fault_of(broken<Faults{}>) == ""); }
TEST_CASE("multi-head: exchanged heads are caught", "[broken]") { CHECK_FALSE(fault_of(broken<Faults{.mixed_heads = true}>).empty()); }
TEST_CASE("multi-head: a transposed W_O is caught", "[broken]") { CHECK_FALSE(fault_of(broken<Faults{.transposed_output = true}>).empty()); }
TEST_CASE("multi-head: the scale of the width is caught", "[broken]") { CHECK_FALSE(fault_of(broken<Faults{.width_scale = true}>).empty()); }
TEST_CASE("multi-head: a dropped head is caught", "[broken]") { CHECK_FALSE(fault_of(broken<Faults{.dropped_head = true}>).empty()); }
TEST_CASE("multi-head: a forgotten key is caught", "[broken]") { CHECK_FALSE(fault_of(broken<Faults{.forgotten_row = true}>).empty()); }
