#include "autograd/normalisation.hpp"

#include <cmath>

#include "autograd/arithmetic.hpp"
#include "autograd/axis.hpp"

namespace attention::autograd {

template <class Real>
Variable<Real> layer_norm(const Variable<Real>& x, const Variable<Real>& scale, const Variable<Real>& shift, double epsilon) {
  const Axis axis(x.shape(), -1);
  if (scale.size() != axis.length || shift.size() != axis.length)
    throw std::invalid_argument(fmt::format("a scale of {} and a shift of {} do not fit {}", as_text(scale.shape()), as_text(shift.shape()), as_text(x.shape())));
  ArrayOf<Real> normal = tensor::empty_array<Real>(x.shape());
  std::vector<Real> inverses(static_cast<std::size_t>(axis.before));
  ArrayOf<Real> result = tensor::empty_array<Real>(x.shape());
  for (Index row = 0; row < axis.before; ++row) {
    const Real* from = x.data() + row * axis.length;
    double mean = 0, variance = 0;
    for (Index i = 0; i < axis.length; ++i) mean += static_cast<double>(from[i]);
    mean /= static_cast<double>(axis.length);
    for (Index i = 0; i < axis.length; ++i) variance += (static_cast<double>(from[i]) - mean) * (static_cast<double>(from[i]) - mean);
    const double inverse = 1 / std::sqrt(variance / static_cast<double>(axis.length) + epsilon);
    inverses[static_cast<std::size_t>(row)] = static_cast<Real>(inverse);
    for (Index i = 0; i < axis.length; ++i) {
      const auto n = static_cast<Real>((static_cast<double>(from[i]) - mean) * inverse);
      normal.data()[row * axis.length + i] = n;
      result.data()[row * axis.length + i] = n * scale.data()[i] + shift.data()[i];
    }
  }
  return x.tape().record(std::move(result), {x, scale, shift},
                         [=, normal = std::move(normal), inverses = std::move(inverses)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
                           for (Index row = 0; row < axis.before; ++row) {
                             const Real* g = gradient.data() + row * axis.length;
                             const Real* n = normal.data() + row * axis.length;
                             if (shift.needs_gradient())
                               for (Index i = 0; i < axis.length; ++i) shift.gradient()[i] += g[i];
                             if (scale.needs_gradient())
                               for (Index i = 0; i < axis.length; ++i) scale.gradient()[i] += g[i] * n[i];
                             if (!x.needs_gradient()) continue;
                             // Mean and variance depend on x too: what they carry is taken off.
                             double sum = 0, along = 0;
                             for (Index i = 0; i < axis.length; ++i) {
                               const double d = static_cast<double>(g[i]) * static_cast<double>(scale.data()[i]);
                               sum += d;
                               along += d * static_cast<double>(n[i]);
                             }
                             const auto mean = static_cast<Real>(sum / static_cast<double>(axis.length));
                             const auto slope = static_cast<Real>(along / static_cast<double>(axis.length));
                             Real* into = x.gradient() + row * axis.length;
                             const Real inverse = inverses[static_cast<std::size_t>(row)];
                             for (Index i = 0; i < axis.length; ++i) into[i] += inverse * (g[i] * scale.data()[i] - mean - n[i] * slope);
                           }
                         });
}

template Variable<float> layer_norm(const Variable<float>&, const Variable<float>&, const Variable<float>&, double);
template Variable<double> layer_norm(const Variable<double>&, const Variable<double>&, const Variable<double>&, double);

}  // namespace attention::autograd
