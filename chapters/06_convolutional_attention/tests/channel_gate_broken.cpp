// Tests of the tests: channel gates that are wrong in the usual ways, each of which the ladder's check must catch.
#include "catch.hpp"
#include "check_rung.hpp"
#include "efficient_channel.hpp"
#include "rungs/channel_gate.hpp"
#include "rungs/efficient_channel_gates.hpp"
#include "rungs/squeeze_excitation_gates.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::fault_of;

namespace {

/// What may be wrong with a rung.
enum class Fault {
  none,
  sum_for_mean,      ///< the squeeze does not divide
  last_place,        ///< the last place of a map is not summed
  no_relu,           ///< squeeze-and-excitation without its max(0, ·)
  first_image_gate,  ///< every image is given the first image's gates
  shifted_kernel,    ///< efficient channel: the window begins one channel too late
  wrapped,           ///< efficient channel: the last channel's neighbour is the first
};

template <Fault fault>
float sum(const float* x, Index n) {
  const float whole = plain_sum(x, fault == Fault::last_place ? n - 1 : n);
  return fault == Fault::sum_for_mean ? whole * static_cast<float>(n) : whole;
}

template <Fault fault, class P>
void spoil_first_gates(const P& p, GatedMaps& out) {
  if (fault != Fault::first_image_gate) return;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index c = 0; c < p.channels(); ++c)
      scale_map<false>(p.map_of(b, c), p.places(), out.gate_of(0)[c], out.map_of(b, c));
}

template <Fault fault>
void broken_squeeze(const SqueezeExcitationProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, false, sum<fault>, [&](const float* mean, float* gate) {
    if (fault != Fault::no_relu) return squeeze_excitation_gates(p, mean, gate);
    std::vector<float> unit;
    for (Index j = 0; j < p.hidden(); ++j)
      unit.push_back(dot(p.reduce_weight.data() + j * p.channels(), mean, p.channels()) + p.reduce_bias.data()[j]);
    for (Index c = 0; c < p.channels(); ++c)
      gate[c] = sigmoid(dot(p.expand_weight.data() + c * p.hidden(), unit.data(), p.hidden()) + p.expand_bias.data()[c]);
  });
  spoil_first_gates<fault>(p, out);
}

template <Fault fault>
void broken_efficient(const EfficientChannelProblem& p, GatedMaps& out) {
  gate_in_passes(p, out, false, sum<fault>, [&](const float* mean, float* gate) {
    for (Index c = 0; c < p.channels(); ++c) {
      float argument = 0;
      for (Index j = 0; j < p.kernel(); ++j) {
        Index from = c + j - p.kernel() / 2 + (fault == Fault::shifted_kernel ? 1 : 0);
        if (fault == Fault::wrapped) from = (from + p.kernel() * p.channels()) % p.channels();
        if (from >= 0 && from < p.channels()) argument += p.weight.data()[j] * mean[from];
      }
      gate[c] = sigmoid(argument);
    }
  });
  spoil_first_gates<fault>(p, out);
}

}  // namespace

TEST_CASE("channel gates: the code of these tests passes where nothing is wrong", "[gate][broken]") {
  CHECK(fault_of(squeeze_excitation(), broken_squeeze<Fault::none>) == "");
  CHECK(fault_of(efficient_channel(), broken_efficient<Fault::none>) == "");
}
TEST_CASE("channel gates: a sum in the mean's place is caught", "[gate][broken]") {
  CHECK_FALSE(fault_of(squeeze_excitation(), broken_squeeze<Fault::sum_for_mean>).empty());
  CHECK_FALSE(fault_of(efficient_channel(), broken_efficient<Fault::sum_for_mean>).empty());
}
TEST_CASE("channel gates: a forgotten last place is caught", "[gate][broken]") {
  CHECK_FALSE(fault_of(squeeze_excitation(), broken_squeeze<Fault::last_place>).empty());
  CHECK_FALSE(fault_of(efficient_channel(), broken_efficient<Fault::last_place>).empty());
}
TEST_CASE("channel gates: the gates of another image are caught", "[gate][broken]") {
  CHECK_FALSE(fault_of(squeeze_excitation(), broken_squeeze<Fault::first_image_gate>).empty());
  CHECK_FALSE(fault_of(efficient_channel(), broken_efficient<Fault::first_image_gate>).empty());
}
TEST_CASE("squeeze_excitation: a forgotten max(0, ·) is caught", "[gate][broken]") {
  CHECK_FALSE(fault_of(squeeze_excitation(), broken_squeeze<Fault::no_relu>).empty());
}
TEST_CASE("efficient_channel: a shifted or wrapped window is caught", "[gate][broken]") {
  CHECK_FALSE(fault_of(efficient_channel(), broken_efficient<Fault::shifted_kernel>).empty());
  CHECK_FALSE(fault_of(efficient_channel(), broken_efficient<Fault::wrapped>).empty());
}
