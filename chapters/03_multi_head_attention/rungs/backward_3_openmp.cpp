// Backward, rung 3, openmp: the loops of rung 2, shared among the threads without a race.
//
// What changed: rung 2 adds each row to all of dW. Two threads with two rows would write to the same place. So the loops are
// turned inside out where a gradient is a sum over rows: a thread owns a row of dW, and goes over X for it. A gradient that
// belongs to a row, dH or dX, is owned by who has the row.
#include "rungs/backward_heads.hpp"
#include "rungs/multi_head_backward_rungs.hpp"

namespace attention::multi_head {

void backward_openmp(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  const Index width = p.width();
  const Index dim = p.dim();
  const Index n = p.n();
  dot_product::BackwardProblem heads = p.heads;
#pragma omp parallel for collapse(3) schedule(static)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.head_count(); ++h)
      for (Index i = 0; i < n; ++i) {
        const float* dY = p.output_gradient.data() + (b * n + i) * width;
        for (Index c = 0; c < dim; ++c) {
          float sum = 0;
          for (Index w = 0; w < width; ++w) sum += dY[w] * p.W_O.data()[(h * dim + c) * width + w];
          heads.output_gradient.data()[row_of(p, b, h, i) + c] = sum;
        }
      }
#pragma omp parallel for collapse(2) schedule(static)
  for (Index h = 0; h < p.head_count(); ++h)
    for (Index c = 0; c < dim; ++c) {
      float* dW_O = out.W_O.data() + (h * dim + c) * width;
      std::fill_n(dW_O, width, 0.F);
      for (Index b = 0; b < p.batch(); ++b)
        for (Index i = 0; i < n; ++i) {
          const float H = heads.output.data()[row_of(p, b, h, i) + c];
          for (Index w = 0; w < width; ++w) dW_O[w] += H * p.output_gradient.data()[(b * n + i) * width + w];
        }
    }
  const dot_product::BackwardOutput gradients = backward_of_heads("openmp", heads);
  const auto all = projection_gradients(p, gradients, out);
#pragma omp parallel for collapse(2) schedule(static)
  for (std::size_t m = 0; m < all.size(); ++m)
    for (Index row = 0; row < p.head_count() * width; ++row) {
      float* dW = all[m].to->data() + row * dim;
      const Index h = row / width;
      std::fill_n(dW, dim, 0.F);
      for (Index b = 0; b < p.batch(); ++b)
        for (Index i = 0; i < n; ++i) {
          const float X = p.input.data()[(b * n + i) * width + row % width];
          const float* dQ = all[m].from->data() + row_of(p, b, h, i);
          for (Index c = 0; c < dim; ++c) dW[c] += X * dQ[c];
        }
    }
#pragma omp parallel for collapse(2) schedule(static)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index i = 0; i < n; ++i) {
      float* dX = out.input.data() + (b * n + i) * width;
      std::fill_n(dX, width, 0.F);
      for (const auto& [W, from, to] : all)
        for (Index h = 0; h < p.head_count(); ++h) {
          const float* dQ = from->data() + row_of(p, b, h, i);
          for (Index w = 0; w < width; ++w) {
            float sum = 0;
            for (Index c = 0; c < dim; ++c) sum += dQ[c] * W->data()[(h * width + w) * dim + c];
            dX[w] += sum;
          }
        }
    }
}

}  // namespace attention::multi_head
