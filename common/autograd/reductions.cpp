#include "autograd/reductions.hpp"

#include <vector>

#include "autograd/axis.hpp"

namespace attention::autograd {

namespace {

Shape without(Shape shape, const Axis& axis) {
  shape.erase(shape.begin() + static_cast<Index>(axis.place));
  return shape;
}

/// factor · Σ along the axis.
template <class Real>
Variable<Real> scaled_sum(const Variable<Real>& x, const Axis& axis, const Shape& shape, Real factor) {
  ArrayOf<Real> result = tensor::filled_array<Real>(shape, 0);
  const Real* from = x.data();
  for (Index b = 0; b < axis.before; ++b) {
    Real* to = result.data() + b * axis.after;
    if (axis.after == 1) {
      // In float64: a long chain in float32 would lose what the gradients need.
      double all = 0;
      for (Index i = 0; i < axis.length; ++i) all += static_cast<double>(from[b * axis.length + i]);
      *to = factor * static_cast<Real>(all);
      continue;
    }
    for (Index i = 0; i < axis.length; ++i)
      for (Index a = 0; a < axis.after; ++a) to[a] += factor * from[(b * axis.length + i) * axis.after + a];
  }
  return x.tape().record(std::move(result), {x}, [=](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = x.gradient();
    for (Index b = 0; b < axis.before; ++b)
      for (Index i = 0; i < axis.length; ++i)
        for (Index a = 0; a < axis.after; ++a) into[(b * axis.length + i) * axis.after + a] += factor * gradient.data()[b * axis.after + a];
  });
}

}  // namespace

template <class Real>
Variable<Real> sum(const Variable<Real>& x, Index axis) {
  const Axis along(x.shape(), axis);
  return scaled_sum(x, along, without(x.shape(), along), Real{1});
}

template <class Real>
Variable<Real> mean(const Variable<Real>& x, Index axis) {
  const Axis along(x.shape(), axis);
  return scaled_sum(x, along, without(x.shape(), along), 1 / static_cast<Real>(along.length));
}

template <class Real>
Variable<Real> sum(const Variable<Real>& x) {
  return scaled_sum(x, Axis({static_cast<std::size_t>(x.size())}, 0), {}, Real{1});
}

template <class Real>
Variable<Real> mean(const Variable<Real>& x) {
  return scaled_sum(x, Axis({static_cast<std::size_t>(x.size())}, 0), {}, 1 / static_cast<Real>(x.size()));
}

template <class Real>
Variable<Real> largest(const Variable<Real>& x, Index axis_number) {
  const Axis axis(x.shape(), axis_number);
  if (axis.length == 0) throw std::invalid_argument("the largest of no elements");
  ArrayOf<Real> result = tensor::empty_array<Real>(without(x.shape(), axis));
  std::vector<Index> chosen(result.size());
  for (Index b = 0; b < axis.before; ++b)
    for (Index a = 0; a < axis.after; ++a) {
      const auto element = [&](Index i) { return (b * axis.length + i) * axis.after + a; };
      Index best = 0;
      for (Index i = 1; i < axis.length; ++i)
        if (x.data()[element(i)] > x.data()[element(best)]) best = i;
      chosen[static_cast<std::size_t>(b * axis.after + a)] = element(best);
      result.data()[b * axis.after + a] = x.data()[element(best)];
    }
  return x.tape().record(std::move(result), {x}, [x, chosen = std::move(chosen)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = x.gradient();
    for (std::size_t i = 0; i < chosen.size(); ++i) into[chosen[i]] += gradient.data()[i];
  });
}

#define ATTENTION_DEFINE(Real)                                 \
  template Variable<Real> sum(const Variable<Real>&, Index);    \
  template Variable<Real> mean(const Variable<Real>&, Index);   \
  template Variable<Real> largest(const Variable<Real>&, Index); \
  template Variable<Real> sum(const Variable<Real>&);           \
  template Variable<Real> mean(const Variable<Real>&);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
