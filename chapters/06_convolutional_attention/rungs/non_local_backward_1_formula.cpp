// Backward, rung 1, formula: the equations, written with xtensor, an image after the other.
//
// What it shows: each product of forward becomes two. z = W_z y gives dY and dW_z, an embedding gives dX and its
// weights' gradient. The middle is chapter 2's backward pass, here its rung 1. The residual is where dX begins.
#include "backward_rung.hpp"
#include "rungs/formula_product.hpp"
#include "rungs/non_local_backward_rungs.hpp"

namespace attention::convolutional {

void non_local_backward_formula(const NonLocalBackwardProblem& p, NonLocalBackwardOutput& out) {
  prepare(p, out);
  const NonLocalProblem& f = p.forward;
  for (Tensor<2>* gradient : {&out.theta, &out.phi, &out.g, &out.out_weight}) gradient->fill(0);
  const auto transposed = [](const auto& m) { return Tensor<2>(xt::transpose(m)); };
  const auto image = [&f](const float* from) {
    Tensor<2> m = tensor::empty<2>({f.input.shape()[1], static_cast<std::size_t>(f.positions())});
    std::copy_n(from, m.size(), m.data());
    return m;
  };
  dot_product::BackwardProblem middle = p.kept;
  for (Index b = 0; b < f.batch(); ++b) {
    const Tensor<2> dz = image(p.output_gradient_of(b));
    const Tensor<2> y = xt::view(middle.output, b, 0);
    xt::view(middle.output_gradient, b, 0) = formula_product(transposed(dz), f.out_weight);
    out.out_weight += formula_product(dz, y);
  }
  dot_product::BackwardOutput gradients;
  dot_product::backward_rung("formula").run(middle, gradients);
  for (Index b = 0; b < f.batch(); ++b) {
    const Tensor<2> x = image(f.image_of(b));
    Tensor<2> dx = image(p.output_gradient_of(b));
    for (const auto& [weight, from, to] : {std::tuple(&f.theta, &gradients.query_gradient, &out.theta),
                                           {&f.phi, &gradients.key_gradient, &out.phi},
                                           {&f.g, &gradients.value_gradient, &out.g}}) {
      const Tensor<2> gradient = transposed(Tensor<2>(xt::view(*from, b, 0)));
      *to += formula_product(gradient, transposed(x));
      dx += formula_product(transposed(*weight), gradient);
    }
    std::copy_n(dx.data(), dx.size(), out.input.data() + b * f.channels() * f.positions());
  }
}

std::size_t non_local_middle_workspace(std::string_view rung, const NonLocalBackwardProblem& p) {
  const Index floats = p.forward.batch() * p.forward.positions() * (8 * p.forward.inner() + 1);
  return static_cast<std::size_t>(floats) * sizeof(float) + dot_product::backward_rung(rung).workspace(p.kept);
}

std::size_t non_local_backward_formula_workspace(const NonLocalBackwardProblem& p) {
  const Index image = p.forward.positions() * (4 * p.forward.channels() + 3 * p.forward.inner());
  return static_cast<std::size_t>(image) * sizeof(float) + non_local_middle_workspace("formula", p);
}

}  // namespace attention::convolutional
