// Tests of the tests: rungs that are wrong in the ways that masks and positions go wrong, each of which the check must catch.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "check_rung.hpp"
#include "helpers.hpp"
#include "rungs/row.hpp"

using namespace attention;
using namespace attention::self_attention;
using namespace attention::self_attention::tests;

namespace {

struct Faults {
  Index see_later = 0;        ///< so many keys behind the mask's right end are seen too
  Index see_earlier = 0;      ///< … before its left end
  bool computes_all = false;  ///< the mask is forgotten
  bool wrong_pairing = false; ///< RoPE turns the other way in K: the sign of the pair
  bool halves = false;        ///< RoPE pairs i with i + dim/2 in K alone
  bool no_bias = false;       ///< ALiBi is forgotten
  bool flat_slopes = false;   ///< every head has the first head's slope
  bool no_encoding = false;   ///< the sinusoidal encoding is not added
  bool from_one = false;      ///< positions count from 1 where they are sinusoidal
  bool no_table = false;      ///< the learned positions are not added
  bool next_row = false;      ///< the table's row of the next position is
  bool key_is_query = false;  ///< W_Q serves for the keys too
  bool keep_scale = false;    ///< 1/dim
};

void product(const float* a, Index rows, Index depth, const float* b, Index columns, float* c) {
  for (Index i = 0; i < rows; ++i) multiply_row(a + i * depth, depth, b, columns, c + i * columns);
}

/// Turns the rows of K by twice their angle back (the sign of the pairing), or undoes the rotation and pairs the halves.
void spoil_rotation(const Problem& p, Tensor<4>& key, bool halves) {
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < p.n(); ++i) {
      std::vector<float> cosine, sine, back;
      for (Index pair = 0; pair < p.dim() / 2; ++pair) {
        const double angle = rotary_angle(i, pair, p.dim()) * (halves ? 1 : 2);
        cosine.push_back(static_cast<float>(std::cos(angle)));
        back.push_back(static_cast<float>(-std::sin(angle)));
        sine.push_back(static_cast<float>(std::sin(angle)));
      }
      for (Index h = 0; h < p.heads(); ++h) {
        float* row = key.data() + ((b * p.n() + i) * p.heads() + h) * p.dim();
        rotate(row, p.dim(), cosine.data(), back.data());
        if (!halves) continue;
        const Index half = p.dim() / 2;
        for (Index c = 0; c < half; ++c) {
          const auto at = static_cast<std::size_t>(c);
          const float x = row[c], y = row[c + half];
          row[c] = x * cosine[at] - y * sine[at];
          row[c + half] = y * cosine[at] + x * sine[at];
        }
      }
    }
}

/// Plain loops, right but for `faults`.
template <Faults faults>
void broken(const Problem& given, Output& out) {
  Problem p = given;
  if (faults.see_later > 0) p.mask.right += faults.see_later;
  if (faults.see_earlier > 0) p.mask.left += faults.see_earlier;
  if (faults.computes_all) p.mask = Mask::full();
  if (faults.key_is_query) p.key_weight = p.query_weight;
  if (faults.no_encoding && p.positions == Positions::sinusoidal) p.positions = Positions::none;
  if (faults.no_table && p.positions == Positions::learned) p.positions = Positions::none;
  if (faults.next_row && p.positions == Positions::learned)
    std::rotate(p.position_table.begin(), p.position_table.begin() + p.width(), p.position_table.end());
  if (faults.from_one && p.positions == Positions::sinusoidal) {
    std::vector<double> right(static_cast<std::size_t>(p.width())), wrong(right);
    for (Index i = 0; i < p.batch() * p.n(); ++i) {
      sinusoidal_encoding(i % p.n(), p.width(), right.data());
      sinusoidal_encoding(i % p.n() + 1, p.width(), wrong.data());
      for (std::size_t c = 0; c < right.size(); ++c)
        p.input.data()[static_cast<std::size_t>(i) * right.size() + c] += static_cast<float>(wrong[c] - right[c]);
    }
  }
  if (faults.keep_scale)
    for (float& w : p.query_weight) w *= static_cast<float>(p.scale());
  Output scratch;
  prepare(p, scratch, true);
  Projected x = project(p, product, false);
  if (p.positions == Positions::rotary && (faults.wrong_pairing || faults.halves)) spoil_rotation(p, x.own_key, faults.halves);
  const Slopes slopes(p);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i)
        attend_row(p, x, faults.no_bias ? 0 : slopes.of(faults.flat_slopes ? 0 : h), b, h, i, scratch);
  prepare(given, out, false);
  std::copy_n(scratch.output.data(), scratch.output.size(), out.output.data());
  std::copy_n(scratch.lse.data(), scratch.lse.size(), out.lse.data());
}

/// What the ladder's check says of a rung with these faults.
template <Faults faults>
std::string fault_of(Kind kind) {
  return attention::tests::fault_of(mechanism(kind), broken<faults>);
}

}  // namespace

TEST_CASE("self-attention: the broken rung's own loops are right without a fault", "[broken]") {
  for (const Kind kind : all_kinds) {
    const std::string fault = fault_of<Faults{}>(kind);
    INFO(fault);
    CHECK(fault.empty());
  }
}

TEST_CASE("self-attention: a causal mask off by one is caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.see_later = 1}>(Kind::causal).empty());
}
TEST_CASE("self-attention: a forgotten mask is caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.computes_all = true}>(Kind::causal).empty());
  CHECK_FALSE(fault_of<Faults{.computes_all = true}>(Kind::window).empty());
}
TEST_CASE("self-attention: a window off by one is caught at either end", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.see_earlier = 1}>(Kind::window).empty());
  CHECK_FALSE(fault_of<Faults{.see_later = 1}>(Kind::window).empty());
}
TEST_CASE("self-attention: RoPE with the wrong sign or the wrong pairs is caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.wrong_pairing = true}>(Kind::full).empty());
  CHECK_FALSE(fault_of<Faults{.halves = true}>(Kind::full).empty());
}
TEST_CASE("self-attention: a missing bias and equal slopes are caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.no_bias = true}>(Kind::causal).empty());
  CHECK_FALSE(fault_of<Faults{.flat_slopes = true}>(Kind::causal).empty());
}
TEST_CASE("self-attention: a missing encoding, or one that counts from 1, is caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.no_encoding = true}>(Kind::full).empty());
  CHECK_FALSE(fault_of<Faults{.from_one = true}>(Kind::full).empty());
}
TEST_CASE("self-attention: a table of positions that is left out, or read a row too late, is caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.no_table = true}>(Kind::full).empty());
  CHECK_FALSE(fault_of<Faults{.next_row = true}>(Kind::full).empty());
}
TEST_CASE("self-attention: keys projected with the queries' weights are caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.key_is_query = true}>(Kind::full).empty());
}
TEST_CASE("self-attention: a wrong scale is caught", "[broken]") {
  CHECK_FALSE(fault_of<Faults{.keep_scale = true}>(Kind::window).empty());
}
