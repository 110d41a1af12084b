// The gates and the pooling with the channels last: turned round, they are held against the same references as the rungs.
#include <algorithm>

#include "catch.hpp"
#include "channels_last_maps.hpp"
#include "check_rung.hpp"
#include "rungs/channels_last.hpp"
#include "rungs/channels_last_gates.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::fault_of;

namespace {

/// As a rung: the maps are turned before and after.
template <class Problem, class Output, void (*run)(const Problem&, const Tensor<4>&, Output&)>
void turned(const Problem& p, Output& out) {
  Output last;
  run(p, channels_last(p.input), last);
  out = last;
  if constexpr (requires { out.gate; } || requires { out.channel_gate; }) out.output = channels_first(last.output);
}

}  // namespace

TEST_CASE("channels last: turning maps there and back changes nothing", "[channels_last]") {
  const auto p = cbam().make(ladder::parse_shape("batch=3,channels=37,height=5,width=11", cbam().keys), 1, ladder::Hardness::plain);
  const Tensor<4> last = channels_last(p.input);
  REQUIRE(last(2, 4, 3, 36) == p.input(2, 36, 4, 3));
  CHECK(std::ranges::equal(channels_first(last), p.input));
}

TEST_CASE("channels last: the gates and the pooling agree with the references", "[channels_last]") {
  CHECK(fault_of(squeeze_excitation(), turned<SqueezeExcitationProblem, GatedMaps, squeeze_excitation_channels_last>, true) == "");
  CHECK(fault_of(efficient_channel(), turned<EfficientChannelProblem, GatedMaps, efficient_channel_channels_last>, true) == "");
  CHECK(fault_of(cbam(), turned<CbamProblem, CbamOutput, cbam_channels_last>, true) == "");
  CHECK(fault_of(attention_pooling(), turned<AttentionPoolingProblem, AttentionPoolingOutput, attention_pooling_channels_last>, true) == "");
}

TEST_CASE("channels last: rows of vectors are reduced each by itself, in their order", "[channels_last]") {
  simd::Float row[simd::lanes];
  for (int i = 0; i < simd::lanes; ++i)
    for (int j = 0; j < simd::lanes; ++j) row[i][j] = static_cast<float>(i * 100 + (j * 7 + i) % simd::lanes);
  const simd::Float sums = simd::reduce_rows(row, [](simd::Float a, simd::Float b) { return a + b; });
  const simd::Float most = simd::reduce_rows(row, [](simd::Float a, simd::Float b) { return simd::max(a, b); });
  for (int i = 0; i < simd::lanes; ++i) {
    CHECK(sums[i] == static_cast<float>(i * 100 * simd::lanes + simd::lanes * (simd::lanes - 1) / 2));
    CHECK(most[i] == static_cast<float>(i * 100 + simd::lanes - 1));
  }
}
