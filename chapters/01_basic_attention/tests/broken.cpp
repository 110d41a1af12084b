// Tests of the tests: rungs that are wrong in the usual ways, each of which the ladder's check must catch.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "additive.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "ladder/publish.hpp"

using namespace attention;
using namespace attention::additive;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool forget_last_tile = false;   ///< keys beyond the last whole tile of 32 are left out
  bool forget_last_units = false;  ///< hidden units beyond the last whole four are left out
  bool drop_last_row = false;      ///< the last query gets no answer
  bool no_saturation = false;      ///< tanh as (e^2x − 1) / (e^2x + 1), which is inf / inf for large x
  bool linear = false;             ///< no tanh at all
  bool swapped = false;            ///< W for the keys and U for the queries
  bool keep_maximum = false;       ///< the maximum is not subtracted
  bool no_shift = false;           ///< lse without Σ v, after tanh = 1 − 2 / (1 + e^2x)
};

float plain_tanh(float x) {
  const float e = std::exp(2 * x);
  return (e - 1) / (e + 1);
}

/// Additive attention in plain loops, right but for `faults`.
template <Faults faults>
void broken(const Problem& p, Output& out) {
  prepare(p, out, false);
  const Index hidden = faults.forget_last_units ? std::max<Index>(p.hidden() / 4 * 4, std::min<Index>(p.hidden(), 4)) : p.hidden();
  const Index keys = faults.forget_last_tile ? std::max<Index>(p.keys() / 32 * 32, std::min<Index>(p.keys(), 32)) : p.keys();
  // Swapped matrices can only be taken for each other where their sizes agree.
  const bool swap = faults.swapped && p.query_dim() == p.key_dim();
  const float* W = swap ? p.U.data() : p.W.data();
  const float* U = swap ? p.W.data() : p.U.data();
  std::vector<float> scores(static_cast<std::size_t>(keys));
  for (Index i = 0; i < p.queries() - (faults.drop_last_row ? 1 : 0); ++i) {
    float shift = 0;
    for (Index j = 0; j < keys; ++j) {
      float score = 0;
      shift = 0;
      for (Index h = 0; h < hidden; ++h) {
        float a = 0;
        float b = 0;
        for (Index c = 0; c < p.query_dim(); ++c) a += W[h * p.query_dim() + c] * p.query.data()[i * p.query_dim() + c];
        for (Index c = 0; c < p.key_dim(); ++c) b += U[h * p.key_dim() + c] * p.key.data()[j * p.key_dim() + c];
        const float x = a + b;
        score += p.v.data()[h] * (faults.linear ? x : faults.no_saturation ? plain_tanh(x) : std::tanh(x));
        shift += p.v.data()[h];
      }
      scores[static_cast<std::size_t>(j)] = score;
    }
    const float m = faults.keep_maximum ? 0 : *std::ranges::max_element(scores);
    float l = 0;
    for (float& s : scores) l += (s = std::exp(s - m));
    for (Index c = 0; c < p.value_dim(); ++c) {
      float sum = 0;
      for (Index j = 0; j < keys; ++j) sum += scores[static_cast<std::size_t>(j)] * p.value.data()[j * p.value_dim() + c];
      out.output.data()[i * p.value_dim() + c] = sum / l;
    }
    out.lse.data()[i] = m + std::log(l) - (faults.no_shift ? shift : 0);
  }
}

template <Faults faults>
std::string fault() {
  // The check must keep the mechanism's other parts: only the ladder is another.
  Additive wrong = mechanism();
  wrong.ladder = {{"broken", "wrong on purpose", broken<faults>, nullptr, {}, false}};
  return tests::fault_of(*ladder::publish(wrong), 0);
}

}  // namespace

TEST_CASE("additive: the broken rung's own loops are right without a fault", "[broken]") { CHECK(fault<Faults{}>().empty()); }

TEST_CASE("additive: a forgotten last tile is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.forget_last_tile = true}>().empty());
}
TEST_CASE("additive: forgotten last hidden units are caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.forget_last_units = true}>().empty());
}
TEST_CASE("additive: a dropped last row is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.drop_last_row = true}>().empty());
}
TEST_CASE("additive: a tanh without saturation is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.no_saturation = true}>().empty());
}
TEST_CASE("additive: a missing tanh is caught", "[broken]") { CHECK_FALSE(fault<Faults{.linear = true}>().empty()); }
TEST_CASE("additive: swapped W and U are caught", "[broken]") { CHECK_FALSE(fault<Faults{.swapped = true}>().empty()); }
TEST_CASE("additive: a missing max-subtraction is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.keep_maximum = true}>().empty());
}
TEST_CASE("additive: a log-sum-exp without its shift is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.no_shift = true}>().empty());
}
