// Rung 1, formula: the equations, written with xtensor.
//
// What it shows: an image is a matrix [channels, positions]; a 1×1 convolution is then a matrix product, and the block is
// self-attention over the positions. What it costs: each product runs through a broadcast that is never stored, element by
// element. Maximum and sum are put into named tensors first, as in chapter 2.
#include "rungs/formula_product.hpp"
#include "rungs/non_local_rungs.hpp"

namespace attention::convolutional {

void non_local_formula(const NonLocalProblem& p, NonLocalOutput& out) {
  using xt::all;
  using xt::newaxis;
  prepare(p, out, true);
  Tensor<2> x = tensor::empty<2>({p.input.shape()[1], static_cast<std::size_t>(p.positions())});
  for (Index b = 0; b < p.batch(); ++b) {
    std::copy_n(p.image_of(b), x.size(), x.data());
    const Tensor<2> theta = formula_product(p.theta, x);
    const Tensor<2> phi = formula_product(p.phi, x);
    const Tensor<2> g = formula_product(p.g, x);

    // f(x_i, x_j) / C(x) = softmax over j of θ(x_i)ᵀ φ(x_j)
    auto weights = xt::view(out.weights, b);
    const Tensor<2> scores = formula_product(xt::transpose(theta), phi);
    const Tensor<1> largest = xt::amax(scores, {1});
    xt::noalias(weights) = xt::exp(scores - xt::view(largest, all(), newaxis()));
    const Tensor<1> total = xt::sum(weights, {1});
    xt::noalias(weights) /= xt::view(total, all(), newaxis());

    // z = W_z y + x
    const Tensor<2> y = formula_product(g, xt::transpose(weights));
    const Tensor<2> z = formula_product(p.out_weight, y) + x;
    std::copy_n(z.data(), z.size(), out.output.data() + b * p.channels() * p.positions());
  }
}

std::size_t non_local_formula_workspace(const NonLocalProblem& p) {
  // The weights of all images, one image's scores and embeddings.
  return static_cast<std::size_t>(p.positions() * ((p.batch() + 1) * p.positions() + 4 * p.inner() + 3 * p.channels())) * sizeof(float);
}

}  // namespace attention::convolutional
