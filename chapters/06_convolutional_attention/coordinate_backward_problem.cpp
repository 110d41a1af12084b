#include <algorithm>

#include "coordinate_backward.hpp"
#include "numerics/random.hpp"
#include "rungs/coordinate_rungs.hpp"
#include "rungs/line_means.hpp"

namespace attention::convolutional {

void prepare(const CoordinateBackwardProblem& p, CoordinateBackwardOutput& out) {
  const auto fit = [](auto& gradient, const auto& of) {
    if (!std::ranges::equal(gradient.shape(), of.shape())) gradient = std::remove_cvref_t<decltype(of)>(of.shape());
  };
  fit(out.input, p.forward.input);
  fit(out.reduce_weight, p.forward.reduce_weight);
  fit(out.reduce_bias, p.forward.reduce_bias);
  fit(out.row_weight, p.forward.row_weight);
  fit(out.row_bias, p.forward.row_bias);
  fit(out.column_weight, p.forward.column_weight);
  fit(out.column_bias, p.forward.column_bias);
}

void run_forward(CoordinateBackwardProblem& p) {
  const CoordinateProblem& f = p.forward;
  CoordinateOutput out;
  coordinate_tiled(f, out);
  p.row_gate = std::move(out.row_gate);
  p.column_gate = std::move(out.column_gate);
  p.row_mean = Tensor<3>(p.row_gate.shape());
  p.column_mean = Tensor<3>(p.column_gate.shape());
  for (Index m = 0; m < f.batch() * f.channels(); ++m)
    line_means(f.input.data() + m * f.places(), f.height(), f.width(), p.row_mean.data() + m * f.height(),
               p.column_mean.data() + m * f.width());
}

CoordinateBackwardProblem make_coordinate_backward(const ladder::Shape& shape, std::uint64_t seed,
                                                   ladder::Hardness hardness) {
  CoordinateBackwardProblem p;
  p.forward = make_coordinate(shape, seed, hardness);
  p.output_gradient = Tensor<4>(p.forward.input.shape());
  numerics::Random random(~seed);
  for (float& x : p.output_gradient) x = random.normal();
  run_forward(p);
  return p;
}

ladder::Cost cost(const CoordinateBackwardProblem& p) {
  const CoordinateProblem& f = p.forward;
  const auto elements = static_cast<double>(f.input.size());
  const auto lines = static_cast<double>(f.batch() * f.lines());
  const auto channels = static_cast<double>(f.channels());
  const auto hidden = static_cast<double>(f.hidden());
  return {.flops = 9 * elements + 10 * lines * channels * hidden,
          .bytes = gated_bytes(f) + 4 * (elements + 6 * channels * hidden + 2 * lines * channels),
          .exps = 0,
          .reciprocals = 0};
}

}  // namespace attention::convolutional
