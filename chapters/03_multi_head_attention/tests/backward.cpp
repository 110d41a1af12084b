// The backward pass: its reference against central differences, what gradients must do whatever the numbers, and passes that
// are wrong in the usual ways.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "check_rung.hpp"
#include "every_rung.hpp"
#include "gradient_share.hpp"
#include "multi_head_backward.hpp"
#include "rungs/multi_head_backward_rungs.hpp"

using namespace attention;
using namespace attention::multi_head;
using tests::fault_of;
using tests::for_every_rung;
using tests::largest_difference;

namespace {

BackwardProblem sample(const char* shape) {
  return make_backward(ladder::parse_shape(shape, backward().keys), 11, ladder::Hardness::plain);
}

/// Inputs in float64, in the order of BackwardOutput.
using Inputs = std::vector<std::vector<double>>;

/// L = Σ dY ∘ Y, in float64 from the first line to the last.
double loss(const BackwardProblem& p, const Inputs& in) {
  const Index n = p.n(), width = p.width(), dim = p.dim();
  const auto at = [](Index i) { return static_cast<std::size_t>(i); };
  double all = 0;
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.head_count(); ++h) {
      const auto projected = [&](std::size_t which) {
        std::vector<double> to(at(n * dim));
        for (Index i = 0; i < n; ++i)
          for (Index w = 0; w < width; ++w)
            for (Index c = 0; c < dim; ++c) to[at(i * dim + c)] += in[0][at((b * n + i) * width + w)] * in[which][at((h * width + w) * dim + c)];
        return to;
      };
      const auto Q = projected(1), K = projected(2), V = projected(3);
      for (Index i = 0; i < n; ++i) {
        const Index seen = p.heads.keys_of(i).last;
        double total = 0, sum = 0;
        for (Index j = 0; j < seen; ++j) {
          double score = 0, product = 0;
          for (Index c = 0; c < dim; ++c) {
            score += Q[at(i * dim + c)] * K[at(j * dim + c)];
            for (Index w = 0; w < width; ++w)
              product += V[at(j * dim + c)] * in[4][at((h * dim + c) * width + w)] *
                         static_cast<double>(p.output_gradient.data()[(b * n + i) * width + w]);
          }
          const double weight = std::exp(score / std::sqrt(static_cast<double>(dim)));
          total += weight;
          sum += weight * product;
        }
        all += sum / total;
      }
    }
  return all;
}

/// The largest |∂L/∂x − gradient| of one input's elements, as a share of what the differences leave open.
double worst(const BackwardProblem& p, Inputs& in, std::size_t which, const TensorOf<double, 3>& gradient) {
  double size = 0;
  for (const float g : p.output_gradient) size += std::abs(static_cast<double>(g));
  double largest = 0;
  for (std::size_t x = 0; x < in[which].size(); ++x)
    largest = std::max(largest, tests::gradient_share(in[which][x], gradient.data()[x], [&] { return loss(p, in); }, 10 * size));
  return largest;
}

/// The five gradients against central differences: the worst of each.
std::vector<double> worst_of_all(const char* shape, double spoil) {
  const BackwardProblem p = sample(shape);
  Inputs in;
  for (const Tensor<3>* t : {&p.input, &p.W_Q, &p.W_K, &p.W_V, &p.W_O}) in.emplace_back(t->begin(), t->end());
  BackwardReference reference = backward_reference(p);
  std::vector<double> found;
  for (auto* gradient : {&reference.input, &reference.W_Q, &reference.W_K, &reference.W_V, &reference.W_O}) {
    for (double& x : *gradient) x *= spoil;
    found.push_back(worst(p, in, found.size(), *gradient));
  }
  return found;
}

/// What may be wrong with a rung; each is right but for one thing.
enum class Fault { none, transposed_output, no_output_weights, input_off, unsummed_batch, exchanged, unscaled, race };

template <Fault fault>
void broken(const BackwardProblem& p, BackwardOutput& out) {
  BackwardProblem given = p;
  if (fault == Fault::transposed_output && p.width() == p.dim())
    for (Index h = 0; h < p.head_count(); ++h)
      for (Index i = 0; i < p.dim(); ++i)
        for (Index j = 0; j < i; ++j) std::swap(given.W_O.data()[(h * p.dim() + i) * p.dim() + j], given.W_O.data()[(h * p.dim() + j) * p.dim() + i]);
  if (fault == Fault::unscaled) given.heads.scale = 1;
  backward_fused(given, out);
  if (fault == Fault::no_output_weights) out.W_O.fill(0);
  if (fault == Fault::exchanged) std::swap(out.W_Q, out.W_K);
  if (fault == Fault::input_off)
    for (Index b = 0; b < p.batch(); ++b)
      for (Index i = 0; i < p.n(); ++i) {
        float& x = out.input.data()[(b * p.n() + i) * p.width()];
        x = 0.999F * x;
      }
  if (fault == Fault::unsummed_batch)
    for (float& x : out.W_V) x /= static_cast<float>(p.batch());
  // What a race does, a result that depends on the number of threads, without one.
  if (fault == Fault::race) out.W_Q.data()[0] += 1e-3F * static_cast<float>(omp_get_max_threads()) * std::abs(out.W_Q.data()[0]);
}

template <Fault fault>
std::string found(bool parallel = false) {
  return fault_of(backward(), broken<fault>, parallel);
}

}  // namespace

TEST_CASE("multi-head backward: the reference's gradients are the loss's central differences", "[backward]") {
  for (const char* shape : {"n=6,width=5,heads=2,dim=3", "batch=2,n=5,width=4,heads=3,dim=2,causal=1"})
    for (const double share : worst_of_all(shape, 1)) CHECK(share <= 1);
}

TEST_CASE("multi-head backward: the central differences notice a gradient that is 1 in 1,000 off", "[backward]") {
  for (const double share : worst_of_all("n=6,width=5,heads=2,dim=3", 1.001)) CHECK(share > 1);
}

TEST_CASE("multi-head backward: with one head of identity projections the gradients are chapter 2's", "[backward][identity]") {
  BackwardProblem p = sample("n=40,width=12,heads=1,dim=12,causal=1");
  for (Tensor<3>* W : {&p.W_Q, &p.W_K, &p.W_V, &p.W_O}) {
    W->fill(0);
    for (Index c = 0; c < 12; ++c) W->data()[c * 12 + c] = 1;
  }
  run_forward(p, true);
  dot_product::BackwardProblem plain = p.heads;
  std::copy(p.output_gradient.begin(), p.output_gradient.end(), plain.output_gradient.begin());
  const dot_product::BackwardReference expected = dot_product::backward_reference(plain);
  for_every_rung(backward(), [&](const auto& rung) {
    BackwardOutput out;
    rung.run(p, out);
    for (Index i = 0; i < 40 * 12; ++i) {
      const double sum = expected.query_gradient.data()[i] + expected.key_gradient.data()[i] + expected.value_gradient.data()[i];
      CHECK(std::abs(static_cast<double>(out.input.data()[i]) - sum) < 2e-5);
    }
  });
}

TEST_CASE("multi-head backward: the gradients of a batch are the sums over its sequences", "[backward][identity]") {
  const BackwardProblem both = sample("batch=2,n=30,width=20,heads=3,dim=7");
  for_every_rung(backward(), [&](const auto& rung) {
    BackwardOutput all;
    rung.run(both, all);
    Tensor<3> sum(both.W_K.shape(), 0);
    for (Index b = 0; b < 2; ++b) {
      BackwardProblem one = both;
      one.input = Tensor<3>(xt::view(both.input, xt::range(b, b + 1)));
      one.output_gradient = Tensor<3>(xt::view(both.output_gradient, xt::range(b, b + 1)));
      run_forward(one, false);
      BackwardOutput out;
      rung.run(one, out);
      sum += out.W_K;
    }
    CHECK(largest_difference(all.W_K, sum) < 2e-5F);
  });
}

TEST_CASE("multi-head backward: the broken pass is right without a fault", "[broken][backward]") { CHECK(found<Fault::none>() == ""); }
TEST_CASE("multi-head backward: a transposed W_O is caught", "[broken][backward]") { CHECK_FALSE(found<Fault::transposed_output>().empty()); }
TEST_CASE("multi-head backward: forgotten gradients of W_O are caught", "[broken][backward]") { CHECK_FALSE(found<Fault::no_output_weights>().empty()); }
TEST_CASE("multi-head backward: an input's gradient 1 in 1,000 off is caught", "[broken][backward]") {
  CHECK_FALSE(found<Fault::input_off>().empty());
}
TEST_CASE("multi-head backward: a mean over the batch instead of a sum is caught", "[broken][backward]") {
  CHECK_FALSE(found<Fault::unsummed_batch>().empty());
}
TEST_CASE("multi-head backward: exchanged W_Q and W_K are caught", "[broken][backward]") { CHECK_FALSE(found<Fault::exchanged>().empty()); }
TEST_CASE("multi-head backward: scores without their scale are caught", "[broken][backward]") { CHECK_FALSE(found<Fault::unscaled>().empty()); }
TEST_CASE("multi-head backward: what depends on the number of threads is caught", "[broken][backward]") {
  CHECK_FALSE(found<Fault::race>(true).empty());
}
