// Tests of the tests: backward passes of additive attention that are wrong in the usual ways, each of which must be caught.
#include <algorithm>
#include <cmath>

#include "backward.hpp"
#include "catch.hpp"
#include "check_rung.hpp"
#include "rungs/backward_rungs.hpp"

using namespace attention;
using namespace attention::additive;

namespace {

enum class Fault {
  none,
  delta,          ///< D forgotten
  last_keys,      ///< keys beyond the last whole 16 are left out
  slope,          ///< 1 − t instead of 1 − t²
  no_v,           ///< da and db without v
  weights,        ///< dv from P instead of dS
  one_for_two,    ///< the gradient of the keys' projections is that of the first query alone
  swapped,        ///< dW and dU from each other's projections, where the shapes allow it
};

/// Right but for `fault`: the given gradients, or inputs, are put wrong around the plain loops.
template <Fault fault>
void broken(const BackwardProblem& problem, BackwardOutput& out) {
  const Problem& p = problem.inputs;
  prepare(problem, out);
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  const Index hidden = p.hidden();
  const Index keys = fault == Fault::last_keys ? std::max(p.keys() / 16 * 16, std::min<Index>(p.keys(), 16)) : p.keys();
  const auto project = [&](const Tensor<2>& matrix, const Tensor<2>& x, Index dim) {
    const Index rows = tensor::extent(x, 0);
    std::vector<float> to(at(rows * hidden));
    for (Index i = 0; i < rows; ++i)
      for (Index h = 0; h < hidden; ++h)
        for (Index c = 0; c < dim; ++c) to[at(i * hidden + h)] += matrix.data()[h * dim + c] * x.data()[i * dim + c];
    return to;
  };
  const std::vector<float> a = project(p.W, p.query, p.query_dim());
  const std::vector<float> b = project(p.U, p.key, p.key_dim());
  std::vector<float> da(a.size()), db(b.size()), t(at(hidden));
  std::fill(out.value_gradient.begin(), out.value_gradient.end(), 0.F);
  std::fill(out.v_gradient.begin(), out.v_gradient.end(), 0.F);
  for (Index i = 0; i < p.queries(); ++i) {
    const float* dO = problem.output_gradient.data() + i * p.value_dim();
    float delta = 0;
    for (Index c = 0; c < p.value_dim(); ++c) delta += dO[c] * problem.output.data()[i * p.value_dim() + c];
    if (fault == Fault::delta) delta = 0;
    for (Index j = 0; j < keys; ++j) {
      float score = 0;
      for (Index h = 0; h < hidden; ++h) score += p.v.data()[h] * (t[at(h)] = std::tanh(a[at(i * hidden + h)] + b[at(j * hidden + h)]));
      const float weight = std::exp(score - problem.lse.data()[i]);
      float dP = 0;
      for (Index c = 0; c < p.value_dim(); ++c) {
        dP += dO[c] * p.value.data()[j * p.value_dim() + c];
        out.value_gradient.data()[j * p.value_dim() + c] += weight * dO[c];
      }
      const float dS = weight * (dP - delta);
      for (Index h = 0; h < hidden; ++h) {
        const float slope = fault == Fault::slope ? 1 - t[at(h)] : 1 - t[at(h)] * t[at(h)];
        const float g = dS * slope * (fault == Fault::no_v ? 1 : p.v.data()[h]);
        da[at(i * hidden + h)] += g;
        if (fault != Fault::one_for_two || i == 0) db[at(j * hidden + h)] += g;
        out.v_gradient.data()[h] += (fault == Fault::weights ? weight : dS) * t[at(h)];
      }
    }
  }
  const auto back = [&](const std::vector<float>& g, const Tensor<2>& matrix, const Tensor<2>& x, Tensor<2>& x_gradient, Tensor<2>& matrix_gradient) {
    const Index dim = tensor::extent(matrix, 1);
    std::fill(x_gradient.begin(), x_gradient.end(), 0.F);
    std::fill(matrix_gradient.begin(), matrix_gradient.end(), 0.F);
    for (Index i = 0; i < tensor::extent(x, 0); ++i)
      for (Index h = 0; h < hidden; ++h)
        for (Index c = 0; c < dim; ++c) {
          x_gradient.data()[i * dim + c] += g[at(i * hidden + h)] * matrix.data()[h * dim + c];
          matrix_gradient.data()[h * dim + c] += g[at(i * hidden + h)] * x.data()[i * dim + c];
        }
  };
  back(da, p.W, p.query, out.query_gradient, out.W_gradient);
  back(db, p.U, p.key, out.key_gradient, out.U_gradient);
  if (fault == Fault::swapped && p.query_dim() == p.key_dim()) std::swap(out.W_gradient, out.U_gradient);
}

template <Fault fault>
std::string fault_of() {
  return tests::fault_of(backward(), broken<fault>);
}

/// Forward's answer is off.
template <bool wrong_output>
void stale_forward(const BackwardProblem& p, BackwardOutput& out) {
  BackwardProblem wrong = p;
  for (float& x : wrong.output)
    if (wrong_output) x *= 1.1F;
  for (float& x : wrong.lse)
    if (!wrong_output) x += 0.1F;
  backward_factorised(wrong, out);
}

}  // namespace

TEST_CASE("additive backward: the broken pass's own loops are right without a fault", "[broken][backward]") {
  CHECK(fault_of<Fault::none>().empty());
}
TEST_CASE("additive backward: wrong passes are caught", "[broken][backward]") {
  CHECK_FALSE(fault_of<Fault::delta>().empty());
  CHECK_FALSE(fault_of<Fault::last_keys>().empty());
  CHECK_FALSE(fault_of<Fault::slope>().empty());
  CHECK_FALSE(fault_of<Fault::no_v>().empty());
  CHECK_FALSE(fault_of<Fault::weights>().empty());
  CHECK_FALSE(fault_of<Fault::one_for_two>().empty());
  CHECK_FALSE(fault_of<Fault::swapped>().empty());
}
TEST_CASE("additive backward: a forward that was off is caught", "[broken][backward]") {
  CHECK_FALSE(tests::fault_of(backward(), stale_forward<true>).empty());
  CHECK_FALSE(tests::fault_of(backward(), stale_forward<false>).empty());
}
