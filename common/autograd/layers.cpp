#include "autograd/layers.hpp"

#include <cmath>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/matrix.hpp"
#include "autograd/normalisation.hpp"

namespace attention::autograd {

template <class Real>
Index count(const ParameterList<Real>& parameters) {
  Index all = 0;
  for (const auto& p : parameters) all += static_cast<Index>(p.parameter->value.size());
  return all;
}

template <class Real>
Parameter<Real> uniform_parameter(const Shape& shape, double bound, numerics::Random& random) {
  Parameter<Real> p{tensor::empty_array<Real>(shape)};
  // As float32 whatever the type: a model checked in float64 is the one that is trained.
  for (Real& x : p.value) x = static_cast<Real>(static_cast<float>(bound * (2 * random.uniform() - 1)));
  return p;
}

template <class Real>
Parameter<Real> constant_parameter(const Shape& shape, double value) {
  return {tensor::filled_array<Real>(shape, static_cast<Real>(value))};
}

template <class Real>
Linear<Real>::Linear(Index inputs, Index outputs, numerics::Random& random, bool with_bias)
    : weights(uniform_parameter<Real>({size(inputs), size(outputs)}, std::sqrt(6 / static_cast<double>(inputs + outputs)), random)) {
  if (with_bias) bias = constant_parameter<Real>({size(outputs)}, 0);
}

template <class Real>
Variable<Real> Linear<Real>::operator()(const Variable<Real>& x) const {
  const Variable<Real> product = matmul(x, x.tape().parameter(weights));
  return bias.value.dimension() == 0 ? product : product + x.tape().parameter(bias);
}

template <class Real>
void Linear<Real>::collect(const std::string& name, ParameterList<Real>& list) {
  list.push_back({name + ".weights", &weights});
  if (bias.value.dimension() != 0) list.push_back({name + ".bias", &bias});
}

template <class Real>
Embedding<Real>::Embedding(Index words, Index width, double deviation, numerics::Random& random)
    : table{tensor::empty_array<Real>({size(words), size(width)})} {
  for (Real& x : table.value) x = static_cast<Real>(static_cast<float>(deviation) * random.normal());
}

template <class Real>
Variable<Real> Embedding<Real>::operator()(Tape<Real>& tape, const std::vector<Index>& words) const {
  return gather(tape.parameter(table), words);
}

template <class Real>
void Embedding<Real>::collect(const std::string& name, ParameterList<Real>& list) {
  list.push_back({name + ".table", &table});
}

template <class Real>
LayerNorm<Real>::LayerNorm(Index width) : scale(constant_parameter<Real>({size(width)}, 1)), shift(constant_parameter<Real>({size(width)}, 0)) {}

template <class Real>
Variable<Real> LayerNorm<Real>::operator()(const Variable<Real>& x) const {
  return layer_norm(x, x.tape().parameter(scale), x.tape().parameter(shift));
}

template <class Real>
void LayerNorm<Real>::collect(const std::string& name, ParameterList<Real>& list) {
  list.push_back({name + ".scale", &scale});
  list.push_back({name + ".shift", &shift});
}

#define ATTENTION_DEFINE(Real)                                                            \
  template Index count(const ParameterList<Real>&);                                       \
  template Parameter<Real> uniform_parameter(const Shape&, double, numerics::Random&);    \
  template Parameter<Real> constant_parameter(const Shape&, double);                      \
  template struct Linear<Real>;                                                           \
  template struct Embedding<Real>;                                                        \
  template struct LayerNorm<Real>;
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
