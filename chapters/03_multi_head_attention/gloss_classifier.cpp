#include "gloss_classifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/softmax.hpp"

namespace attention::multi_head {

namespace {

using autograd::Right;
using tensor::ArrayOf;

/// Texts padded to the longest, and what is padding.
template <class Real>
struct Padded {
  std::vector<Index> words;          ///< [texts, longest]
  autograd::Mask seen;               ///< [texts, 1, 1, longest]
  ArrayOf<Real> mean;                ///< [texts, 1, longest]: 1 / length, 0 for padding
  std::size_t longest = 0;

  explicit Padded(const Texts& texts) {
    for (const auto* text : texts) longest = std::max(longest, text->size());
    words.resize(texts.size() * longest);
    seen = tensor::filled_array<std::uint8_t>({texts.size(), 1, 1, longest}, 0);
    mean = tensor::filled_array<Real>({texts.size(), 1, longest}, 0);
    for (std::size_t t = 0; t < texts.size(); ++t) {
      const std::size_t at = t * longest, length = texts[t]->size();
      std::ranges::copy(*texts[t], words.begin() + static_cast<Index>(at));
      std::fill_n(seen.data() + at, length, std::uint8_t{1});
      std::fill_n(mean.data() + at, length, static_cast<Real>(1.0 / static_cast<double>(length)));
    }
  }
};

/// Σ_h head_h W_O with head_h = softmax(Q_h K_hᵀ / √d) V_h (Vaswani and others 2017, section 3.2.2), x [texts, words, width].
template <class Real>
Variable<Real> multi_head(const GlossClassifier<Real>& model, const Variable<Real>& x, const autograd::Mask& seen) {
  const auto texts = x.shape()[0], words = x.shape()[1], heads = size(model.heads), width = size(model.sizes.width);
  const std::size_t dim = width / heads;
  const auto by_head = [&](const Variable<Real>& of_all) { return autograd::permute(autograd::reshape(of_all, {texts, words, heads, dim}), {0, 2, 1, 3}); };
  const Variable<Real> q = by_head(model.query(x)), k = by_head(model.key(x)), v = by_head(model.value(x));
  const Variable<Real> weights = autograd::softmax((1 / std::sqrt(static_cast<double>(dim))) * autograd::matmul(q, k, Right::transposed), seen);
  ArrayOf<Real> gates = tensor::filled_array<Real>({heads, 1, 1}, 1);
  std::ranges::copy(model.gates, gates.data());
  const Variable<Real> found = autograd::matmul(weights, v) * x.tape().constant(gates);
  return model.output(autograd::reshape(autograd::permute(found, {0, 2, 1, 3}), {texts, words, width}));
}

}  // namespace

template <class Real>
GlossClassifier<Real>::GlossClassifier(const GlossSizes& its_sizes, Index its_heads, std::uint64_t seed)
    : sizes(its_sizes), heads(its_heads), gates(size(its_heads), Real{1}) {
  if (heads < 1 || sizes.width % heads != 0) throw std::invalid_argument(fmt::format("{} heads do not divide a width of {}", heads, sizes.width));
  numerics::Random random(seed);
  // Small: a word that is rare moves little from where it begins, and should add little noise.
  embedding = autograd::Embedding<Real>(sizes.words, sizes.width, 0.1, random);
  before_attention = autograd::LayerNorm<Real>(sizes.width);
  before_inner = autograd::LayerNorm<Real>(sizes.width);
  for (auto* projection : {&query, &key, &value, &output}) *projection = autograd::Linear<Real>(sizes.width, sizes.width, random, false);
  inner = autograd::Linear<Real>(sizes.width, sizes.inner, random);
  outer = autograd::Linear<Real>(sizes.inner, sizes.width, random);
  classes = autograd::Linear<Real>(sizes.width, sizes.classes, random);
}

template <class Real>
Variable<Real> GlossClassifier<Real>::operator()(Tape<Real>& tape, const Texts& texts) const {
  const Padded<Real> padded(texts);
  const Variable<Real> tokens = autograd::reshape(embedding(tape, padded.words), {texts.size(), padded.longest, size(sizes.width)});
  Variable<Real> x = autograd::dropout(tokens, sizes.dropout);
  x = x + multi_head(*this, before_attention(x), padded.seen);
  x = x + outer(autograd::tanh(inner(before_inner(x))));
  const Variable<Real> mean = autograd::reshape(autograd::matmul(tape.constant(padded.mean), x), {texts.size(), size(sizes.width)});
  return classes(autograd::dropout(mean, sizes.dropout));
}

template <class Real>
autograd::ParameterList<Real> GlossClassifier<Real>::parameters() {
  autograd::ParameterList<Real> list;
  embedding.collect("embedding", list);
  before_attention.collect("before_attention", list);
  query.collect("query", list);
  key.collect("key", list);
  value.collect("value", list);
  output.collect("output", list);
  before_inner.collect("before_inner", list);
  inner.collect("inner", list);
  outer.collect("outer", list);
  classes.collect("classes", list);
  return list;
}

template <class Real>
Json GlossClassifier<Real>::configuration() const {
  return {{"model", "gloss classifier"}, {"heads", heads},           {"words", sizes.words},     {"width", sizes.width},
          {"inner", sizes.inner},        {"classes", sizes.classes}, {"dropout", sizes.dropout}};
}

template struct GlossClassifier<float>;
template struct GlossClassifier<double>;

}  // namespace attention::multi_head
