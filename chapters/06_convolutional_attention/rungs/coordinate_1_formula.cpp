// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: two means, one over each axis, laid side by side; a product with F₁, whose outputs are cut where the rows end; two
// products back; and the maps times two broadcasts. The means are put into a named tensor: a lazy reduction inside a broadcast would
// be computed again for every hidden unit.
#include "rungs/coordinate_rungs.hpp"

namespace attention::convolutional {

namespace {

/// weight · values + bias for all lines: [outputs, lines].
template <class Values>
Tensor<2> mixed(const Tensor<2>& weight, const Tensor<1>& bias, const Values& values) {
  using xt::all;
  using xt::newaxis;
  const Tensor<2> products = xt::sum(xt::view(weight, all(), all(), newaxis()) * xt::view(values, newaxis(), all(), all()), {1});
  return products + xt::view(bias, all(), newaxis());
}

}  // namespace

void coordinate_formula(const CoordinateProblem& p, CoordinateOutput& out) {
  using xt::all;
  using xt::newaxis;
  using xt::range;
  prepare(p, out);
  const Index height = p.height();
  const Index lines = p.lines();
  Tensor<2> pooled = tensor::empty<2>({p.input.shape()[1], p.input.shape()[2] + p.input.shape()[3]});
  for (std::size_t b = 0; b < p.input.shape()[0]; ++b) {
    // [z^h, z^w]
    const auto image = xt::view(p.input, b, all(), all(), all());
    xt::view(pooled, all(), range(0, height)) = xt::sum(image, {2}) / static_cast<float>(p.width());
    xt::view(pooled, all(), range(height, lines)) = xt::sum(image, {1}) / static_cast<float>(p.height());

    // f = δ(F₁ [z^h, z^w])
    Tensor<2> hidden = mixed(p.reduce_weight, p.reduce_bias, pooled);
    Tensor<2> ramp = xt::where(hidden < -3.F, 0.F, hidden + 3.F);
    ramp = xt::where(ramp > 6.F, 6.F, ramp);
    hidden = hidden * ramp / 6.F;

    // g^h = σ(F_h f^h), g^w = σ(F_w f^w)
    const Tensor<2> of_rows = mixed(p.row_weight, p.row_bias, xt::view(hidden, all(), range(0, height)));
    const Tensor<2> of_columns = mixed(p.column_weight, p.column_bias, xt::view(hidden, all(), range(height, lines)));
    xt::view(out.row_gate, b, all(), all()) = 1.F / (1.F + xt::exp(-of_rows));
    xt::view(out.column_gate, b, all(), all()) = 1.F / (1.F + xt::exp(-of_columns));

    // y = x · g^h · g^w
    xt::view(out.output, b, all(), all(), all()) =
        image * xt::view(out.row_gate, b, all(), all(), newaxis()) * xt::view(out.column_gate, b, all(), newaxis(), all());
  }
}

std::size_t coordinate_formula_workspace(const CoordinateProblem& p) {
  // One image's means, its hidden units with their ramp, the arguments of its gates twice.
  return static_cast<std::size_t>(p.lines() * (3 * p.channels() + 3 * p.hidden())) * sizeof(float);
}

}  // namespace attention::convolutional
