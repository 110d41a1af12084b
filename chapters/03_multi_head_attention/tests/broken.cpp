// Tests of the tests: multi-head attention that is wrong in the usual ways, each of which the ladder's check must catch.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"
#include "check_rung.hpp"
#include "multi_head.hpp"

using namespace attention;
using namespace attention::multi_head;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool mixed_heads = false;      ///< the concatenation has two heads exchanged
  bool transposed_output = false;  ///< W_O[h] read as its transpose
  bool width_scale = false;      ///< 1/sqrt(width)
  bool dropped_head = false;     ///< the last head is forgotten
  bool forgotten_row = false;    ///< the last key is
  bool interleaved = false;      ///< head h takes the keys of h mod key_heads, not of its group
  bool ignored_mask = false;     ///< every row sees all
  bool first_only = false;       ///< every head takes the first head's keys and values
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
      const Index g = faults.first_only ? 0 : faults.interleaved ? h % p.key_heads() : h / (heads / p.key_heads());
      std::vector<double> Q, K, V;
      for (Index i = 0; i < n; ++i)
        for (Index c = 0; c < dim; ++c) {
          Q.push_back(entry(p.W_Q, h, b, i, c));
          K.push_back(entry(p.W_K, g, b, i, c));
          V.push_back(entry(p.W_V, g, b, i, c));
        }
      for (Index i = 0; i < p.queries(); ++i) {
        const Index seen = faults.ignored_mask ? n : p.keys_of(i).last;
        const Index keys = faults.forgotten_row && seen > 1 ? seen - 1 : seen;
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

template <Faults faults>
std::string fault() {
  return tests::fault_of(mechanism(), broken<faults>);
}

}  // namespace

TEST_CASE("multi-head: the broken rung's own loops are right without a fault", "[broken]") { CHECK(fault<Faults{}>() == ""); }
TEST_CASE("multi-head: exchanged heads are caught", "[broken]") { CHECK_FALSE(fault<Faults{.mixed_heads = true}>().empty()); }
TEST_CASE("multi-head: a transposed W_O is caught", "[broken]") { CHECK_FALSE(fault<Faults{.transposed_output = true}>().empty()); }
TEST_CASE("multi-head: the scale of the width is caught", "[broken]") { CHECK_FALSE(fault<Faults{.width_scale = true}>().empty()); }
TEST_CASE("multi-head: a dropped head is caught", "[broken]") { CHECK_FALSE(fault<Faults{.dropped_head = true}>().empty()); }
TEST_CASE("multi-head: a forgotten key is caught", "[broken]") { CHECK_FALSE(fault<Faults{.forgotten_row = true}>().empty()); }

TEST_CASE("multi-head: a mask that is ignored is caught", "[broken]") { CHECK_FALSE(fault<Faults{.ignored_mask = true}>().empty()); }

TEST_CASE("multi-head: keys and values of the first head alone are caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.first_only = true}>().empty());
}
TEST_CASE("grouped-query: the broken rung's own loops are right without a fault", "[broken]") {
  CHECK(tests::fault_of(grouped_mechanism(), broken<Faults{}>) == "");
}
TEST_CASE("grouped-query: heads dealt out in turn, not in groups, are caught", "[broken]") {
  CHECK_FALSE(tests::fault_of(grouped_mechanism(), broken<Faults{.interleaved = true}>).empty());
}
