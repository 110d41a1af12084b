// Tests of the tests: rungs of linear attention that are wrong as such rungs go wrong, each of which the check must catch.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "catch.hpp"
#include "check_rung.hpp"
#include "linear_attention.hpp"
#include "rungs/linear_feature_map.hpp"
#include "rungs/linear_rungs.hpp"

using namespace attention;
using namespace attention::self_attention;

namespace {

struct Faults {
  bool sees_chunk = false;         ///< the mask within a chunk is forgotten
  bool misses_itself = false;      ///< a token does not see itself
  bool last_chunk_lost = false;    ///< the state never takes in the chunk before the last
  bool state_too_early = false;    ///< the state takes the chunk in before the chunk has asked
  bool padding_counts = false;     ///< the last chunk is filled up with zeros before φ makes them ones
  bool no_normalizer = false;      ///< not divided
  bool normalizer_of_chunk = false;  ///< divided by the chunk's own weights alone
  bool relu = false;               ///< φ(x) = max(x, 0)
  bool elu = false;                ///< φ(x) = elu(x): the + 1 is forgotten
  bool value_features = false;     ///< φ on V too
  bool stale_state = false;        ///< a head begins with the state that the one before has left
  bool query_scaled = false;       ///< a query's entries are divided by sqrt(dim) before φ
};

float feature(float x, Faults faults) {
  if (faults.relu) return std::max(x, 0.F);
  return elu_plus_one(x) - (faults.elu ? 1.F : 0.F);
}

/// The chunked form in plain loops, right but for `faults`.
template <Faults faults>
void broken(const LinearProblem& p, LinearOutput& out) {
  const LinearPass pass = pass_of(p, out);
  const Index dim = p.dim();
  const Index width = p.value_dim();
  std::vector<float> state(static_cast<std::size_t>(dim * width)), z(static_cast<std::size_t>(dim));
  std::vector<float> phi(static_cast<std::size_t>(dim));
  const auto value = [&](const float* v, Index x) { return faults.value_features ? elu_plus_one(v[x]) : v[x]; };
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h) {
      if (!faults.stale_state || h == 0) {
        std::ranges::fill(state, 0.F);
        std::ranges::fill(z, 0.F);
      }
      const auto key_feature = [&](Index j, Index c) { return feature(pass.key.row(b, h, j)[c], faults); };
      for (Index first = 0; first < p.n(); first += linear_chunk) {
        const Index last = std::min(first + linear_chunk, p.n());
        const auto take_in = [&] {
          if (faults.last_chunk_lost && last < p.n() && last + linear_chunk >= p.n()) return;
          for (Index c = 0; c < dim; ++c) {
            if (faults.padding_counts) z[at(c)] += static_cast<float>(first + linear_chunk - last);
            for (Index j = first; j < last; ++j) {
              z[at(c)] += key_feature(j, c);
              for (Index x = 0; x < width; ++x) state[at(c * width + x)] += key_feature(j, c) * value(pass.value.row(b, h, j), x);
            }
          }
        };
        if (faults.state_too_early) take_in();
        for (Index i = first; i < last; ++i) {
          const float* q = pass.query.row(b, h, i);
          const float shift = std::min(*std::max_element(q, q + dim), 0.F);
          for (Index c = 0; c < dim; ++c)
            phi[at(c)] = faults.query_scaled                            ? elu_plus_one(q[c] / std::sqrt(static_cast<float>(dim)))
                         : shift < 0 && !faults.relu && !faults.elu ? std::exp(q[c] - shift)
                                                                        : feature(q[c], faults);
          std::vector<float> sum(at(width), 0.F);
          float total = 0;
          for (Index j = first; j < (faults.sees_chunk ? last : faults.misses_itself ? i : i + 1); ++j) {
            float weight = 0;
            for (Index c = 0; c < dim; ++c) weight += phi[at(c)] * key_feature(j, c);
            total += weight;
            for (Index x = 0; x < width; ++x) sum[at(x)] += weight * value(pass.value.row(b, h, j), x);
          }
          for (Index c = 0; c < dim; ++c) {
            if (!faults.normalizer_of_chunk) total += phi[at(c)] * z[at(c)];
            for (Index x = 0; x < width; ++x) sum[at(x)] += phi[at(c)] * state[at(c * width + x)];
          }
          for (Index x = 0; x < width; ++x) pass.output.row(b, h, i)[x] = sum[at(x)] * (faults.no_normalizer ? 1 : inverse_of(total));
        }
        if (!faults.state_too_early) take_in();
      }
      std::ranges::copy(state, pass.state_of(b, h));
      std::ranges::copy(z, pass.normalizer_of(b, h));
    }
}

/// What the check says of it.
template <Faults faults>
std::string fault() {
  return attention::tests::fault_of(linear_attention(), broken<faults>);
}

/// Right outputs, but a state without its last token.
void state_one_short(const LinearProblem& p, LinearOutput& out) {
  linear_loops(p, out);
  const Index last = p.n() - 1;
  for (Index head = 0; head < p.all_heads(); ++head)
    for (Index c = 0; c < p.dim(); ++c) {
      const float phi = elu_plus_one(p.key.data()[(head * p.n() + last) * p.dim() + c]);
      for (Index x = 0; x < p.value_dim(); ++x)
        out.state.data()[(head * p.dim() + c) * p.value_dim() + x] -= phi * p.value.data()[(head * p.n() + last) * p.value_dim() + x];
    }
}

}  // namespace

TEST_CASE("linear attention: the broken rung's own loops are right without a fault", "[linear][broken]") { CHECK(fault<Faults{}>() == ""); }

TEST_CASE("linear attention: a mask that is wrong within a chunk is caught", "[linear][broken]") {
  CHECK_FALSE(fault<Faults{.sees_chunk = true}>().empty());
  CHECK_FALSE(fault<Faults{.misses_itself = true}>().empty());
}
TEST_CASE("linear attention: a chunk that is lost or counted twice is caught", "[linear][broken]") {
  CHECK_FALSE(fault<Faults{.last_chunk_lost = true}>().empty());
  CHECK_FALSE(fault<Faults{.state_too_early = true}>().empty());
  CHECK_FALSE(fault<Faults{.padding_counts = true}>().empty());
}
TEST_CASE("linear attention: a missing or partial normaliser is caught", "[linear][broken]") {
  CHECK_FALSE(fault<Faults{.no_normalizer = true}>().empty());
  CHECK_FALSE(fault<Faults{.normalizer_of_chunk = true}>().empty());
}
TEST_CASE("linear attention: another feature map is caught", "[linear][broken]") {
  CHECK_FALSE(fault<Faults{.relu = true}>().empty());
  CHECK_FALSE(fault<Faults{.elu = true}>().empty());
  CHECK_FALSE(fault<Faults{.value_features = true}>().empty());
  CHECK_FALSE(fault<Faults{.query_scaled = true}>().empty());
}
TEST_CASE("linear attention: a state that is not set back, or one token short, is caught", "[linear][broken]") {
  CHECK_FALSE(fault<Faults{.stale_state = true}>().empty());
  CHECK_FALSE(attention::tests::fault_of(linear_attention(), state_one_short).empty());
}
