// Backward, rung 2, loops: plain loops, head by head and row by row.
//
// What changed: nothing but the hand that writes the loops. A row of X, of dQ or of dY is read once and serves both products that
// need it.
#include "rungs/backward_heads.hpp"
#include "rungs/multi_head_backward_rungs.hpp"

namespace attention::multi_head {

void backward_loops(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  for (Tensor<3>* gradient : {&out.input, &out.W_Q, &out.W_K, &out.W_V, &out.W_O}) gradient->fill(0);
  const Index width = p.width();
  const Index dim = p.dim();
  dot_product::BackwardProblem heads = p.heads;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.head_count(); ++h)
      for (Index i = 0; i < p.n(); ++i) {
        const float* dY = p.output_gradient.data() + (b * p.n() + i) * width;
        for (Index c = 0; c < dim; ++c) {
          const float* W_O = p.W_O.data() + (h * dim + c) * width;
          float* dW_O = out.W_O.data() + (h * dim + c) * width;
          const float H = heads.output.data()[row_of(p, b, h, i) + c];
          float sum = 0;
          for (Index w = 0; w < width; ++w) sum += dY[w] * W_O[w];
          heads.output_gradient.data()[row_of(p, b, h, i) + c] = sum;
          for (Index w = 0; w < width; ++w) dW_O[w] += H * dY[w];
        }
      }
  const dot_product::BackwardOutput gradients = backward_of_heads("loops", heads);
  for (const auto& [W, from, to] : projection_gradients(p, gradients, out))
    for (Index b = 0; b < p.batch(); ++b)
      for (Index h = 0; h < p.head_count(); ++h)
        for (Index i = 0; i < p.n(); ++i) {
          const float* dQ = from->data() + row_of(p, b, h, i);
          for (Index w = 0; w < width; ++w) {
            const Index row = (h * width + w) * dim;
            const float X = p.input.data()[(b * p.n() + i) * width + w];
            float sum = 0;
            for (Index c = 0; c < dim; ++c) {
              sum += dQ[c] * W->data()[row + c];
              to->data()[row + c] += X * dQ[c];
            }
            out.input.data()[(b * p.n() + i) * width + w] += sum;
          }
        }
}

std::size_t backward_loops_workspace(const BackwardProblem& p) { return backward_heads_workspace("loops", p); }

}  // namespace attention::multi_head
