#pragma once

#include <string>
#include <vector>

#include "autograd/tape.hpp"

namespace attention::autograd {

/// A model's weights by name, in the order in which they are saved and stepped.
template <class Real>
struct NamedParameter {
  std::string name;
  Parameter<Real>* parameter;
};
template <class Real>
using ParameterList = std::vector<NamedParameter<Real>>;

/// Numbers of weights in all.
template <class Real>
Index count(const ParameterList<Real>& parameters);

/// Uniform in ± bound.
template <class Real>
Parameter<Real> uniform_parameter(const Shape& shape, double bound, numerics::Random& random);
template <class Real>
Parameter<Real> constant_parameter(const Shape& shape, double value);

/// y = x W + b over the last axis: [… , inputs] to [… , outputs]. W is drawn as Glorot and Bengio 2010 (equation 16) say, b is 0.
template <class Real>
struct Linear {
  Parameter<Real> weights;  ///< [inputs, outputs]
  Parameter<Real> bias;     ///< [outputs], or empty: none

  Linear() = default;
  Linear(Index inputs, Index outputs, numerics::Random& random, bool with_bias = true);
  Variable<Real> operator()(const Variable<Real>& x) const;
  void collect(const std::string& name, ParameterList<Real>& list);
};

/// A row of numbers for each word: numbers of words to [words, width].
template <class Real>
struct Embedding {
  Parameter<Real> table;  ///< [words, width]

  Embedding() = default;
  /// Normal with the given standard deviation.
  Embedding(Index words, Index width, double deviation, numerics::Random& random);
  Variable<Real> operator()(Tape<Real>& tape, const std::vector<Index>& words) const;
  void collect(const std::string& name, ParameterList<Real>& list);
};

/// Layer normalisation over the last axis (Ba, Kiros, Hinton 2016).
template <class Real>
struct LayerNorm {
  Parameter<Real> scale, shift;  ///< [width]

  LayerNorm() = default;
  explicit LayerNorm(Index width);
  Variable<Real> operator()(const Variable<Real>& x) const;
  void collect(const std::string& name, ParameterList<Real>& list);
};

#define ATTENTION_DECLARE(Real)                                                                            \
  extern template Index count(const ParameterList<Real>&);                                                 \
  extern template Parameter<Real> uniform_parameter(const Shape&, double, numerics::Random&);              \
  extern template Parameter<Real> constant_parameter(const Shape&, double);                                \
  extern template struct Linear<Real>;                                                                     \
  extern template struct Embedding<Real>;                                                                  \
  extern template struct LayerNorm<Real>;
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
