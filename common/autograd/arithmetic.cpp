#include "autograd/arithmetic.hpp"

#include <type_traits>

#include "autograd/broadcast.hpp"

namespace attention::autograd {

namespace {

/// Calls run with the steps of a run, 0 or 1, as constants: only so does the compiler make vectors of what it does.
template <class Run>
void with_steps(Index a_step, Index b_step, Run run) {
  using std::integral_constant;
  if (a_step == 1 && b_step == 1)
    run(integral_constant<Index, 1>{}, integral_constant<Index, 1>{});
  else if (a_step == 1)
    run(integral_constant<Index, 1>{}, integral_constant<Index, 0>{});
  else if (b_step == 1)
    run(integral_constant<Index, 0>{}, integral_constant<Index, 1>{});
  else
    run(integral_constant<Index, 0>{}, integral_constant<Index, 0>{});
}

/// result = f(a, b); to a's gradient is added gradient · by_a(a, b), to b's gradient · by_b(a, b).
template <class Real, class F, class ByA, class ByB>
Variable<Real> combine(const Variable<Real>& a, const Variable<Real>& b, F f, ByA by_a, ByB by_b) {
  const Broadcast broadcast(a.shape(), b.shape());
  ArrayOf<Real> result = tensor::empty_array<Real>(broadcast.shape());
  Real* to = result.data();
  const Real* x = a.data();
  const Real* y = b.data();
  broadcast.for_runs([=](Index at, Index i, Index j, Index n, Index a_step, Index b_step) {
    with_steps(a_step, b_step, [=](auto x_step, auto y_step) {
      for (Index k = 0; k < n; ++k) to[at + k] = f(x[i + k * x_step], y[j + k * y_step]);
    });
  });
  return a.tape().record(std::move(result), {a, b}, [=](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    const Real* from = gradient.data();
    const Real* p = a.data();
    const Real* q = b.data();
    const auto gather = [&](Real* into, auto of_a, auto by) {
      broadcast.for_runs([&](Index at, Index i, Index j, Index n, Index a_step, Index b_step) {
        Real* place = into + (of_a ? i : j);
        with_steps(a_step, b_step, [=](auto p_step, auto q_step) {
          if ((of_a ? p_step : q_step) == 1) {
            for (Index k = 0; k < n; ++k) place[k] += from[at + k] * by(p[i + k * p_step], q[j + k * q_step]);
          } else {
            Real sum = 0;
            for (Index k = 0; k < n; ++k) sum += from[at + k] * by(p[i + k * p_step], q[j + k * q_step]);
            *place += sum;
          }
        });
      });
    };
    if (a.needs_gradient()) gather(a.gradient(), std::true_type{}, by_a);
    if (b.needs_gradient()) gather(b.gradient(), std::false_type{}, by_b);
  });
}

}  // namespace

std::string as_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

template <class Real>
Variable<Real> operator+(const Variable<Real>& a, const Variable<Real>& b) {
  return combine(
      a, b, [](Real x, Real y) { return x + y; }, [](Real, Real) { return Real{1}; }, [](Real, Real) { return Real{1}; });
}

template <class Real>
Variable<Real> operator-(const Variable<Real>& a, const Variable<Real>& b) {
  return combine(
      a, b, [](Real x, Real y) { return x - y; }, [](Real, Real) { return Real{1}; }, [](Real, Real) { return Real{-1}; });
}

template <class Real>
Variable<Real> operator*(const Variable<Real>& a, const Variable<Real>& b) {
  return combine(
      a, b, [](Real x, Real y) { return x * y; }, [](Real, Real y) { return y; }, [](Real x, Real) { return x; });
}

template <class Real>
Variable<Real> operator/(const Variable<Real>& a, const Variable<Real>& b) {
  return combine(
      a, b, [](Real x, Real y) { return x / y; }, [](Real, Real y) { return 1 / y; }, [](Real x, Real y) { return -x / (y * y); });
}

template <class Real>
Variable<Real> affine(const Variable<Real>& a, double factor, double shift) {
  const auto slope = static_cast<Real>(factor);
  ArrayOf<Real> result = a.value();
  for (Real& x : result) x = slope * x + static_cast<Real>(shift);
  return a.tape().record(std::move(result), {a}, [a, slope](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = a.gradient();
    const Real* from = gradient.data();
    for (Index i = 0, n = a.size(); i < n; ++i) into[i] += slope * from[i];
  });
}

#define ATTENTION_DEFINE(Real)                                                                     \
  template Variable<Real> operator+(const Variable<Real>&, const Variable<Real>&);                 \
  template Variable<Real> operator-(const Variable<Real>&, const Variable<Real>&);                 \
  template Variable<Real> operator*(const Variable<Real>&, const Variable<Real>&);                 \
  template Variable<Real> operator/(const Variable<Real>&, const Variable<Real>&);                 \
  template Variable<Real> affine(const Variable<Real>&, double, double);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
