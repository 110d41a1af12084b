#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "non_local.hpp"

namespace attention::convolutional {

namespace {

using Matrix = std::vector<double>;

/// A sum that knows how large it was on its way.
class Sum {
 public:
  void add(double term) {
    value_ += term;
    largest_ = std::max(largest_, std::abs(value_));
    squares_ += term * term;
  }
  double value() const { return value_; }
  /// Takes its size into `sums`, where it is finite.
  void into(double& sums) const {
    if (std::isfinite(squares_)) sums = std::max(sums, std::max(largest_, std::sqrt(squares_)));
  }

 private:
  double value_ = 0;
  double largest_ = 0;
  double squares_ = 0;
};

/// weight · x: [positions, inner], a position's entries side by side.
Matrix embed(const NonLocalProblem& p, const Tensor<2>& weight, const float* image, double& sums) {
  const Index inner = p.inner();
  Matrix embedded(static_cast<std::size_t>(p.positions() * inner));
  for (Index i = 0; i < p.positions(); ++i)
    for (Index e = 0; e < inner; ++e) {
      Sum sum;
      for (Index c = 0; c < p.channels(); ++c)
        sum.add(static_cast<double>(weight.data()[e * p.channels() + c]) * static_cast<double>(image[c * p.positions() + i]));
      embedded[static_cast<std::size_t>(i * inner + e)] = sum.value();
      sum.into(sums);
    }
  return embedded;
}

double largest_norm(const Matrix& rows, Index size) {
  double largest = 0;
  for (std::size_t first = 0; first < rows.size(); first += static_cast<std::size_t>(size)) {
    double squares = 0;
    for (Index e = 0; e < size; ++e) squares += rows[first + static_cast<std::size_t>(e)] * rows[first + static_cast<std::size_t>(e)];
    if (std::isfinite(squares)) largest = std::max(largest, std::sqrt(squares));
  }
  return largest;
}

}  // namespace

NonLocalReference reference(const NonLocalProblem& p) {
  const Index positions = p.positions();
  const Index inner = p.inner();
  NonLocalReference out;
  out.output = tensor::empty<4, double>(p.input.shape());
  out.weights = tensor::empty<3, double>({p.input.shape()[0], static_cast<std::size_t>(positions), static_cast<std::size_t>(positions)});
  double score_sums = 0;
  double mean_sums = 0;
  double output_sums = 0;
  double concentration = 0;
  for (Index b = 0; b < p.batch(); ++b) {
    const float* x = p.image_of(b);
    const Matrix theta = embed(p, p.theta, x, out.query_sums);
    const Matrix phi = embed(p, p.phi, x, out.key_sums);
    const Matrix g = embed(p, p.g, x, out.value_sums);
    out.query_norm = std::max(out.query_norm, largest_norm(theta, inner));
    out.key_norm = std::max(out.key_norm, largest_norm(phi, inner));
    for (Index j = 0; j < positions; ++j)
      for (Index c = 0; c < p.channels(); ++c) {
        double back = 0;
        for (Index e = 0; e < inner; ++e)
          back += static_cast<double>(p.out_weight.data()[c * inner + e]) * g[static_cast<std::size_t>(j * inner + e)];
        if (std::isfinite(back)) out.largest_back = std::max(out.largest_back, std::abs(back));
      }

#pragma omp parallel for reduction(max : score_sums, mean_sums, output_sums, concentration) schedule(dynamic, 4)
    for (Index i = 0; i < positions; ++i) {
      double* weights = out.weights.data() + (b * positions + i) * positions;
      double largest = -std::numeric_limits<double>::infinity();
      for (Index j = 0; j < positions; ++j) {
        Sum score;
        for (Index e = 0; e < inner; ++e)
          score.add(theta[static_cast<std::size_t>(i * inner + e)] * phi[static_cast<std::size_t>(j * inner + e)]);
        score.into(score_sums);
        weights[j] = score.value();
        largest = std::max(largest, weights[j]);
      }
      double total = 0;
      for (Index j = 0; j < positions; ++j) total += weights[j] = std::exp(weights[j] - largest);
      double squares = 0;
      for (Index j = 0; j < positions; ++j) {
        weights[j] /= total;
        squares += weights[j] * weights[j];
      }
      if (std::isfinite(squares)) concentration = std::max(concentration, std::sqrt(squares));

      Matrix y(static_cast<std::size_t>(inner));
      for (Index e = 0; e < inner; ++e) {
        Sum mean;
        for (Index j = 0; j < positions; ++j) mean.add(weights[j] * g[static_cast<std::size_t>(j * inner + e)]);
        mean.into(mean_sums);
        y[static_cast<std::size_t>(e)] = mean.value();
      }
      for (Index c = 0; c < p.channels(); ++c) {
        Sum z;
        for (Index e = 0; e < inner; ++e)
          z.add(static_cast<double>(p.out_weight.data()[c * inner + e]) * y[static_cast<std::size_t>(e)]);
        z.add(static_cast<double>(x[c * positions + i]));
        z.into(output_sums);
        out.output.data()[(b * p.channels() + c) * positions + i] = z.value();
      }
    }
  }
  out.score_sums = score_sums;
  out.mean_sums = mean_sums;
  out.output_sums = output_sums;
  out.concentration = concentration;
  return out;
}

}  // namespace attention::convolutional
