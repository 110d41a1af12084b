// The convolution's backward pass: its reference against central differences and against the tape, and what gradients
// must do whatever the numbers.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/arranging.hpp"
#include "autograd/convolution.hpp"
#include "check_gradients.hpp"
#include "convolution_backward.hpp"
#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "tape_gradients.hpp"

using namespace attention;
using namespace attention::convolutional;
using tests::for_every_rung;

namespace {

using autograd::Tape;
using autograd::Variable;

ConvolutionBackwardProblem sample(const char* shape) {
  return make_convolution_backward(ladder::parse_shape(shape, convolution_backward().keys), 11,
                                   ladder::Hardness::plain);
}

/// Forward on the tape, which has the channels last.
tests::Function<double> forward(const ConvolutionBackwardProblem& p) {
  return [dilation = p.dilation](Tape<double>&, const std::vector<Variable<double>>& in) {
    const Variable<double> y = autograd::convolution(autograd::permute(in[0], {0, 2, 3, 1}),
                                                     autograd::permute(in[1], {2, 3, 1, 0}), dilation) +
                               in[2];
    return autograd::permute(y, {0, 3, 1, 2});
  };
}

constexpr const char* small_shapes[] = {"batch=2,in_channels=3,out_channels=2,height=4,width=5,kernel=3",
                                        "in_channels=2,out_channels=3,height=5,width=4,kernel=3,dilation=2",
                                        "batch=2,in_channels=3,out_channels=2,height=3,kernel=1",
                                        "in_channels=1,out_channels=2,height=3,kernel=5"};

}  // namespace

TEST_CASE("convolution_backward: the reference's gradients are the loss's central differences, and the tape's",
          "[convolution][backward]") {
  for (const char* shape : small_shapes) {
    INFO(shape);
    const ConvolutionBackwardProblem p = sample(shape);
    const ConvolutionBackwardReference r = backward_reference(p);
    const tests::GradientCase found{forward(p),
                                    {p.input, p.weight, p.bias},
                                    p.output_gradient,
                                    {r.input_gradient, r.weight_gradient, r.bias_gradient}};
    CHECK(tests::worst_difference_share(found) <= 1);
    CHECK(tests::largest_tape_difference(found) <= 1e-12);
  }
}

TEST_CASE("convolution_backward: the central differences notice a gradient that is 1 in 10,000 off",
          "[convolution][backward]") {
  const ConvolutionBackwardProblem p = sample(small_shapes[0]);
  ConvolutionBackwardReference r = backward_reference(p);
  for (double& x : r.weight_gradient) x *= 1.0001;
  CHECK(tests::worst_difference_share({forward(p),
                                       {p.input, p.weight, p.bias},
                                       p.output_gradient,
                                       {r.input_gradient, r.weight_gradient, r.bias_gradient}}) > 1);
}

TEST_CASE("convolution_backward: twice the output's gradient is twice all gradients, to the last bit",
          "[convolution][backward]") {
  const ConvolutionBackwardProblem p = sample(
      "batch=2,in_channels=17,out_channels=21,height=13,width=18,kernel=3,dilation=2");
  ConvolutionBackwardProblem twice = p;
  for (float& g : twice.output_gradient) g *= 2;
  for_every_rung(convolution_backward(), [&](const auto& rung) {
    ConvolutionBackwardOutput a;
    ConvolutionBackwardOutput b;
    rung.run(p, a);
    rung.run(twice, b);
    const auto doubled = [](float x, float y) { return 2 * x == y; };
    CHECK(std::ranges::equal(a.input_gradient, b.input_gradient, doubled));
    CHECK(std::ranges::equal(a.weight_gradient, b.weight_gradient, doubled));
    CHECK(std::ranges::equal(a.bias_gradient, b.bias_gradient, doubled));
  });
}

TEST_CASE(
    "convolution_backward: weights times their gradients, and input times its, are G times the output",
    "[convolution][backward]") {
  // The output without its bias is linear in the weights, and in the input: Σ G y = Σ w dw = Σ x dx.
  ConvolutionBackwardProblem p = sample("batch=2,in_channels=9,out_channels=7,height=11,width=14,kernel=5");
  p.bias.fill(0);
  const ConvolutionReference y = reference(p);
  const auto product = [](const auto& a, const auto& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      sum += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
    return sum;
  };
  const double wanted = product(p.output_gradient, y.output);
  for_every_rung(convolution_backward(), [&](const auto& rung) {
    ConvolutionBackwardOutput out;
    rung.run(p, out);
    CHECK(std::abs(product(p.weight, out.weight_gradient) - wanted) < 1e-4 * std::abs(wanted));
    CHECK(std::abs(product(p.input, out.input_gradient) - wanted) < 1e-4 * std::abs(wanted));
  });
}

TEST_CASE("convolution_backward: NaN and infinity come out where the reference has them", "[convolution][backward]") {
  const ConvolutionBackwardProblem plain = sample(
      "batch=2,in_channels=5,out_channels=20,height=9,width=11,kernel=3,dilation=1");
  std::vector<ConvolutionBackwardProblem> problems(4, plain);
  problems[0].input(1, 3, 4, 8) = std::numeric_limits<float>::quiet_NaN();
  problems[1].weight(7, 2, 0, 2) = std::numeric_limits<float>::infinity();
  problems[2].output_gradient(0, 19, 4, 5) = std::numeric_limits<float>::quiet_NaN();
  problems[3].output_gradient(1, 3, 0, 10) = -std::numeric_limits<float>::infinity();
  for (const auto& p : problems) {
    const auto trial = ladder::make_trial(convolution_backward(), p);
    for (std::size_t rung = 0; rung < convolution_backward().ladder.size(); ++rung) {
      INFO(convolution_backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}
