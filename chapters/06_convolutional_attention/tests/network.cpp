// The modules that learn and the network around them: gradients, agreement with the ladders, published sizes, identities.
#include "residual_network.hpp"

#include <cmath>

#include "autograd/arranging.hpp"
#include "autograd/softmax.hpp"
#include "bam.hpp"
#include "cbam.hpp"
#include "channels_last_maps.hpp"
#include "check_gradients.hpp"
#include "coordinate.hpp"
#include "efficient_channel.hpp"
#include "non_local.hpp"
#include "published_sizes.hpp"
#include "squeeze_excitation.hpp"

namespace {

using namespace attention;
using namespace attention::convolutional;
using attention::tests::random_array;
using tensor::ArrayOf;
using tensor::Shape;

constexpr ModuleKind with_module[] = {ModuleKind::squeeze_excitation, ModuleKind::efficient_channel, ModuleKind::cbam,
                                      ModuleKind::bam,                ModuleKind::coordinate,        ModuleKind::non_local};

ParameterList<double> parameters_of(AttentionModule<double>& module) {
  ParameterList<double> list;
  module.collect("module", list);
  return list;
}

/// What begins as zeros gets numbers, so that every way through the module is open.
void fill(const ParameterList<double>& list, std::uint64_t seed) {
  numerics::Random random(seed);
  for (const auto& [name, parameter] : list)
    for (double& x : parameter->value)
      if (x == 0) x = 0.3 * static_cast<double>(random.normal());
}

/// The weights of a layer of the tape, [inputs, outputs], as a ladder has them: [outputs, inputs].
Tensor<2> turned(const ArrayOf<double>& weights) {
  Tensor<2> to = tensor::empty<2>({weights.shape(1), weights.shape(0)});
  for (std::size_t i = 0; i < weights.shape(0); ++i)
    for (std::size_t j = 0; j < weights.shape(1); ++j) to(j, i) = static_cast<float>(weights(i, j));
  return to;
}

/// A kernel of the tape, [height, width, in, out], as a ladder has it: [out, in, height, width].
Tensor<4> kernel_of(const ArrayOf<double>& k) {
  Tensor<4> to = tensor::empty<4>({k.shape(3), k.shape(2), k.shape(0), k.shape(1)});
  for (std::size_t u = 0; u < k.shape(0); ++u)
    for (std::size_t v = 0; v < k.shape(1); ++v)
      for (std::size_t c = 0; c < k.shape(2); ++c)
        for (std::size_t o = 0; o < k.shape(3); ++o) to(o, c, u, v) = static_cast<float>(k(u, v, c, o));
  return to;
}
Tensor<4> one_by_one(const ArrayOf<double>& weights) { return tensor::Tensor<4>(xt::view(turned(weights), xt::all(), xt::all(), xt::newaxis(), xt::newaxis())); }

Tensor<1> vector_of(const ArrayOf<double>& values) {
  Tensor<1> to = tensor::empty<1>({values.size()});
  std::ranges::transform(values, to.data(), [](double x) { return static_cast<float>(x); });
  return to;
}

/// Channels first, float32, from channels last.
Tensor<4> channels_first(const ArrayOf<double>& x) {
  Tensor<4> maps = tensor::empty<4>({x.shape(0), x.shape(1), x.shape(2), x.shape(3)});
  std::ranges::transform(x, maps.data(), [](double v) { return static_cast<float>(v); });
  return convolutional::channels_first(maps);
}

/// Numbers that float32 holds exactly, so that both ways see the same.
ArrayOf<double> exact(ArrayOf<double> x) {
  for (double& v : x) v = static_cast<double>(static_cast<float>(v));
  return x;
}

template <class Output>
double largest_difference(const Variable<double>& found, const Output& wanted) {
  double worst = 0;
  const ArrayOf<double>& x = found.value();
  for (std::size_t b = 0; b < x.shape(0); ++b)
    for (std::size_t i = 0; i < x.shape(1); ++i)
      for (std::size_t j = 0; j < x.shape(2); ++j)
        for (std::size_t c = 0; c < x.shape(3); ++c) worst = std::max(worst, std::abs(x(b, i, j, c) - wanted(b, c, i, j)));
  return worst;
}

const ArrayOf<double>& value(const ParameterList<double>& list, const std::string& name) {
  for (const auto& p : list)
    if (p.name == "module." + name) return p.parameter->value;
  throw std::out_of_range(name);
}

}  // namespace

TEST_CASE("every attention module's gradients are central differences", "[convolutional][autograd]") {
  for (const ModuleKind kind : with_module) {
    INFO(name_of(kind));
    numerics::Random random(3);
    AttentionModule<double> module(kind, 6, 2, random);
    const ParameterList<double> list = parameters_of(module);
    fill(list, 5);
    const ArrayOf<double> x = random_array({2, 5, 4, 6}, 1);
    CHECK(attention::tests::worst_gradient([&](Tape<double>&, const auto& in) { return module(in[0]).output; }, {x}, attention::tests::kinked_step) <= 1);
    CHECK(attention::tests::worst_parameter_gradient(list, [&](Tape<double>& tape) { return attention::tests::one_number(module(tape.constant(x)).output); }, 1,
                                                     attention::tests::kinked_step) <= 1);
  }
}

TEST_CASE("the whole network's gradients are central differences, with every module", "[convolutional][autograd]") {
  for (const ModuleKind kind : all_module_kinds)
    for (const Pooling pooling : {Pooling::mean, Pooling::attention}) {
      if (pooling == Pooling::attention && kind != ModuleKind::none) continue;
      INFO(name_of(kind));
      ResidualNetwork<double> network({.module = kind, .pooling = pooling, .widths = {2, 4}, .group_width = 2, .reduction = 2, .classes = 3}, 11);
      fill(network.parameters(), 7);
      const ArrayOf<double> pictures = random_array({2, 8, 8, 1}, 1, 0, 1);
      const double worst = attention::tests::worst_parameter_gradient(
          network.parameters(), [&](Tape<double>& tape) { return autograd::cross_entropy(network(tape.constant(pictures)).scores, {2, 0}, 2); }, 3, attention::tests::kinked_step);
      CHECK(worst <= 1);
    }
}

TEST_CASE("with weights of zero a module gives what its formula says", "[convolutional][identity]") {
  const std::vector<std::pair<ModuleKind, double>> factors{{ModuleKind::none, 1},         {ModuleKind::squeeze_excitation, 0.5},
                                                           {ModuleKind::efficient_channel, 0.5}, {ModuleKind::cbam, 0.25},
                                                           {ModuleKind::bam, 1.5},        {ModuleKind::coordinate, 0.25},
                                                           {ModuleKind::non_local, 1}};
  for (const auto& [kind, factor] : factors) {
    INFO(name_of(kind));
    numerics::Random random(3);
    AttentionModule<double> module(kind, 8, 2, random);
    for (const auto& [name, parameter] : parameters_of(module)) std::ranges::fill(parameter->value, 0.0);
    Tape<double> tape;
    const auto x = tape.constant(random_array({2, 5, 4, 8}, 1));
    const auto y = module(x).output;
    for (Index i = 0; i < x.size(); ++i) CHECK(y.data()[i] == Catch::Detail::Approx(factor * x.data()[i]).epsilon(1e-15));
  }
}

TEST_CASE("a non-local block begins as the identity", "[convolutional][identity]") {
  numerics::Random random(3);
  const AttentionModule<double> module(ModuleKind::non_local, 8, 2, random);
  Tape<double> tape;
  const auto x = tape.constant(random_array({2, 5, 4, 8}, 1));
  CHECK(module(x).output.value() == x.value());
}

TEST_CASE("the modules that learn compute what the ladders compute", "[convolutional][identity]") {
  const ArrayOf<double> x = exact(random_array({2, 5, 4, 16}, 1));
  const auto made = [&](ModuleKind kind) {
    numerics::Random random(3);
    AttentionModule<double> module(kind, 16, 2, random);
    const ParameterList<double> list = parameters_of(module);
    fill(list, 5);
    for (const auto& [name, parameter] : list) parameter->value = exact(parameter->value);
    return module;
  };
  Tape<double> tape;
  const auto input = tape.constant(x);
  {
    AttentionModule<double> module = made(ModuleKind::squeeze_excitation);
    const auto list = parameters_of(module);
    SqueezeExcitationProblem p;
    p.input = channels_first(x);
    p.reduce_weight = turned(value(list, "narrow.weights"));
    p.reduce_bias = vector_of(value(list, "narrow.bias"));
    p.expand_weight = turned(value(list, "widen.weights"));
    p.expand_bias = vector_of(value(list, "widen.bias"));
    CHECK(largest_difference(module(input).output, reference(p).output) < 1e-12);
  }
  {
    AttentionModule<double> module = made(ModuleKind::efficient_channel);
    EfficientChannelProblem p;
    p.input = channels_first(x);
    p.weight = vector_of(value(parameters_of(module), "kernel"));
    CHECK(largest_difference(module(input).output, reference(p).output) < 1e-12);
  }
  {
    AttentionModule<double> module = made(ModuleKind::non_local);
    const auto list = parameters_of(module);
    NonLocalProblem p;
    p.input = channels_first(x);
    p.theta = turned(value(list, "theta.weights"));
    p.phi = turned(value(list, "phi.weights"));
    p.g = turned(value(list, "g.weights"));
    p.out_weight = turned(value(list, "w_z.weights"));
    CHECK(largest_difference(module(input).output, reference(p).output) < 1e-12);
  }
  {
    AttentionModule<double> module = made(ModuleKind::bam);
    const auto list = parameters_of(module);
    BamProblem p;
    p.input = channels_first(x);
    p.reduce_weight = turned(value(list, "narrow.weights"));
    p.reduce_bias = vector_of(value(list, "narrow.bias"));
    p.expand_weight = turned(value(list, "widen.weights"));
    p.expand_bias = vector_of(value(list, "widen.bias"));
    p.spatial = {BamLayer{one_by_one(value(list, "places_in.weights")), vector_of(value(list, "places_in.bias"))},
                 BamLayer{kernel_of(value(list, "places_first")), vector_of(value(list, "places_first_bias"))},
                 BamLayer{kernel_of(value(list, "places_second")), vector_of(value(list, "places_second_bias"))},
                 BamLayer{one_by_one(value(list, "places_out.weights")), vector_of(value(list, "places_out.bias"))}};
    CHECK(largest_difference(module(input).output, reference(p).output) < 1e-12);
  }
  {
    AttentionModule<double> module = made(ModuleKind::coordinate);
    const auto list = parameters_of(module);
    CoordinateProblem p;
    p.input = channels_first(x);
    p.reduce_weight = turned(value(list, "narrow.weights"));
    p.reduce_bias = vector_of(value(list, "narrow.bias"));
    p.row_weight = turned(value(list, "widen.weights"));
    p.row_bias = vector_of(value(list, "widen.bias"));
    p.column_weight = turned(value(list, "widen_columns.weights"));
    p.column_bias = vector_of(value(list, "widen_columns.bias"));
    CHECK(largest_difference(module(input).output, reference(p).output) < 1e-12);
  }
  {
    // The ladder has the paper's channel gates without biases; its spatial gate has no normalisation.
    AttentionModule<double> module = made(ModuleKind::cbam);
    const auto list = parameters_of(module);
    for (const auto& [name, parameter] : list)
      if (name.ends_with("bias")) std::ranges::fill(parameter->value, 0.0);
    CbamProblem p;
    p.input = channels_first(x);
    p.reduce_weight = turned(value(list, "narrow.weights"));
    p.expand_weight = turned(value(list, "widen.weights"));
    p.spatial_weight = tensor::empty<3>({2, 7, 7});
    p.spatial_weight.fill(0);
    const CbamReference wanted = reference(p);
    const auto gates = module(input).channel_gates;
    for (std::size_t i = 0; i < wanted.channel_gate.size(); ++i) CHECK(gates.data()[i] == Catch::Detail::Approx(wanted.channel_gate.data()[i]).epsilon(1e-12));
  }
}

TEST_CASE("the published nets have as many weights with our modules as with their authors'", "[convolutional][published]") {
  const auto se = ModuleKind::squeeze_excitation, cbam = ModuleKind::cbam, plain = ModuleKind::none;
  CHECK(resnet_parameters(18, plain) == 11'689'512);
  CHECK(resnet_parameters(18, se) == 11'778'592);
  CHECK(resnet_parameters(18, cbam) == 11'779'392);
  CHECK(resnet_parameters(34, plain) == 21'797'672);
  CHECK(resnet_parameters(34, se) == 21'958'868);
  CHECK(resnet_parameters(34, cbam) == 21'960'468);
  CHECK(resnet_parameters(50, plain) == 25'557'032);
  CHECK(resnet_parameters(50, se) == 28'088'024);
  CHECK(resnet_parameters(50, cbam) == 28'089'624);
  CHECK(resnet_parameters(101, plain) == 44'549'160);
  CHECK(resnet_parameters(101, se) == 49'326'872);
  CHECK(resnet_parameters(101, cbam) == 49'330'172);
  CHECK_THROWS_AS(resnet_parameters(19, plain), std::invalid_argument);
}

TEST_CASE("a picture's answer does not depend on what stands beside it", "[convolutional]") {
  const ArrayOf<double> pictures = random_array({3, 12, 12, 1}, 1, 0, 1);
  for (const ModuleKind kind : all_module_kinds) {
    INFO(name_of(kind));
    ResidualNetwork<double> network({.module = kind, .widths = {8, 16}}, 2);
    fill(network.parameters(), 7);
    Tape<double> together;
    const auto all = network(together.constant(pictures)).scores;
    for (std::size_t b = 0; b < 3; ++b) {
      ArrayOf<double> one = tensor::empty_array<double>({1, 12, 12, 1});
      std::copy_n(pictures.data() + b * 144, 144, one.data());
      Tape<double> alone;
      const auto scores = network(alone.constant(one)).scores;
      for (std::size_t c = 0; c < 10; ++c) CHECK(scores.data()[c] == Catch::Detail::Approx(all.data()[b * 10 + c]).epsilon(1e-12));
    }
  }
}
