// Backward, rung 1, formula: the equations, written with xtensor, an image after the other.
//
// What it shows: a mean's gradient is spread over its line, a gate's is gathered from it. Between them are small
// products, twice as many as forward has.
#include "rungs/coordinate_backward_rungs.hpp"
#include "rungs/formula_product.hpp"

namespace attention::convolutional {

namespace {

Tensor<2> transposed(const Tensor<2>& m) { return xt::transpose(m); }

/// From da [channels × places] of one side: adds to the gradients of the weights, gives dz.
Tensor<2> through_the_layers(const CoordinateProblem& f, const Tensor<2>& weight, const Tensor<2>& mean,
                             const Tensor<2>& da, Tensor<2>& weight_gradient, Tensor<1>& bias_gradient,
                             CoordinateBackwardOutput& out) {
  const Tensor<2> u = formula_product(f.reduce_weight, mean) + xt::view(f.reduce_bias, xt::all(), xt::newaxis());
  Tensor<2> unit = u;
  Tensor<2> slope = u;
  for (float& value : unit) value = hard_swish(value);
  for (float& value : slope) value = hard_swish_slope(value);
  weight_gradient += formula_product(da, transposed(unit));
  bias_gradient += xt::eval(xt::sum(da, {1}));
  const Tensor<2> du = slope * formula_product(transposed(weight), da);
  out.reduce_weight += formula_product(du, transposed(mean));
  out.reduce_bias += xt::eval(xt::sum(du, {1}));
  return formula_product(transposed(f.reduce_weight), du);
}

}  // namespace

void coordinate_backward_formula(const CoordinateBackwardProblem& p, CoordinateBackwardOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out);
  const CoordinateProblem& f = p.forward;
  for (Tensor<2>* gradient : {&out.reduce_weight, &out.row_weight, &out.column_weight}) gradient->fill(0);
  for (Tensor<1>* gradient : {&out.reduce_bias, &out.row_bias, &out.column_bias}) gradient->fill(0);
  for (Index b = 0; b < f.batch(); ++b) {
    const auto x = xt::view(f.input, b, all(), all(), all());
    const auto dy = xt::view(p.output_gradient, b, all(), all(), all());
    const Tensor<2> g_h = xt::view(p.row_gate, b, all(), all());
    const Tensor<2> g_w = xt::view(p.column_gate, b, all(), all());
    const auto of_rows = [](const Tensor<2>& m) { return xt::view(m, all(), all(), newaxis()); };
    const auto of_columns = [](const Tensor<2>& m) { return xt::view(m, all(), newaxis(), all()); };
    // dg summed along the lines, then the sigmoid's slope
    const Tensor<2> dg_h = xt::sum(dy * x * of_columns(g_w), {2});
    const Tensor<2> dg_w = xt::sum(dy * x * of_rows(g_h), {1});
    const Tensor<2> da_h = dg_h * g_h * (1 - g_h);
    const Tensor<2> da_w = dg_w * g_w * (1 - g_w);
    const Tensor<2> dz_h = through_the_layers(f, f.row_weight, Tensor<2>(xt::view(p.row_mean, b)), da_h, out.row_weight,
                                              out.row_bias, out);
    const Tensor<2> dz_w = through_the_layers(f, f.column_weight, Tensor<2>(xt::view(p.column_mean, b)), da_w,
                                              out.column_weight, out.column_bias, out);
    const Tensor<2> spread_h = dz_h / static_cast<float>(f.width());
    const Tensor<2> spread_w = dz_w / static_cast<float>(f.height());
    xt::view(out.input, b, all(), all(), all()) =
        dy * of_rows(g_h) * of_columns(g_w) + of_rows(spread_h) + of_columns(spread_w);
  }
}

std::size_t coordinate_backward_formula_workspace(const CoordinateBackwardProblem& p) {
  const CoordinateProblem& f = p.forward;
  return static_cast<std::size_t>((6 * f.channels() + 4 * f.hidden()) * f.lines() + 2 * f.channels() * f.hidden()) *
         sizeof(float);
}

}  // namespace attention::convolutional
