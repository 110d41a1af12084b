#include "attention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "additive_scores.hpp"
#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/matrix.hpp"
#include "autograd/softmax.hpp"

namespace attention::sequence_to_sequence {

namespace {

constexpr std::string_view names[] = {"none", "additive", "dot", "general", "concat", "local_m", "local_p"};

bool by_tanh(Kind kind) { return kind == Kind::additive || kind == Kind::concat; }
bool by_general(Kind kind) { return kind == Kind::general || kind == Kind::local_m || kind == Kind::local_p; }
bool is_local(Kind kind) { return kind == Kind::local_m || kind == Kind::local_p; }

/// 1 where place j of sequence b is there and within the window around centre(b, i); without a window, where it is there.
template <class Centre>
autograd::Mask visible(const std::vector<Index>& lengths, Index queries, Index places, Index window, bool local, Centre centre) {
  autograd::Mask mask = tensor::empty_array<std::uint8_t>({lengths.size(), size(queries), size(places)});
  for (std::size_t b = 0; b < lengths.size(); ++b)
    for (Index i = 0; i < queries; ++i)
      for (Index j = 0; j < places; ++j) {
        const bool near = !local || std::abs(static_cast<double>(j) - centre(static_cast<Index>(b), i)) <= static_cast<double>(window);
        mask.data()[(static_cast<Index>(b) * queries + i) * places + j] = j < lengths[b] && near ? 1 : 0;
      }
  return mask;
}

/// exp(−(j − p)² / 2σ²) with σ = window / 2 (equation 10), for centres p [batch, queries, 1]: [batch, queries, places].
template <class Real>
Variable<Real> gaussian(const Variable<Real>& centres, Index places, Index window) {
  ArrayOf<Real> numbers = tensor::empty_array<Real>({1, 1, size(places)});
  for (Index j = 0; j < places; ++j) numbers.data()[j] = static_cast<Real>(j);
  const Variable<Real> distance = centres.tape().constant(std::move(numbers)) - centres;
  const double sigma = static_cast<double>(window) / 2;
  return autograd::exp((-1 / (2 * sigma * sigma)) * (distance * distance));
}

}  // namespace

std::string name_of(Kind kind) { return std::string(names[static_cast<std::size_t>(kind)]); }

Kind kind_of(std::string_view name) {
  const auto* found = std::ranges::find(names, name);
  if (found == std::end(names)) throw std::invalid_argument(fmt::format("there is no attention of the kind '{}'", name));
  return static_cast<Kind>(found - std::begin(names));
}

template <class Real>
Attention<Real>::Attention(Kind its_kind, Index query_width, Index width, Index units, Index its_window, numerics::Random& random)
    : kind(its_kind), window(its_window) {
  if (kind == Kind::dot && query_width != width)
    throw std::invalid_argument(fmt::format("a product of queries of {} with keys of {} numbers is not defined", query_width, width));
  if (by_tanh(kind)) {
    of_query = Linear<Real>(query_width, units, random);
    of_key = Linear<Real>(width, units, random, false);
    v = autograd::uniform_parameter<Real>({size(units)}, 1 / std::sqrt(static_cast<double>(units)), random);
  } else if (by_general(kind)) {
    of_key = Linear<Real>(width, query_width, random, false);
  }
  if (kind == Kind::local_p) {
    of_place = Linear<Real>(query_width, units, random, false);
    place = autograd::uniform_parameter<Real>({size(units), 1}, 1 / std::sqrt(static_cast<double>(units)), random);
  }
}

template <class Real>
Memory<Real> Attention<Real>::prepare(const Variable<Real>& annotations, const std::vector<Index>& lengths) const {
  if (kind == Kind::none) return {annotations, annotations, lengths};
  const Variable<Real> values = autograd::permute(annotations, {1, 0, 2});
  return {values, kind == Kind::dot ? values : of_key(values), lengths};
}

template <class Real>
Variable<Real> Attention<Real>::predicted_places(const Memory<Real>& memory, const Variable<Real>& queries) const {
  // p = S · σ(v_p · tanh(W_p q)), equation 9.
  ArrayOf<Real> lengths = tensor::empty_array<Real>({memory.lengths.size(), 1, 1});
  for (std::size_t b = 0; b < memory.lengths.size(); ++b) lengths.data()[b] = static_cast<Real>(memory.lengths[b]);
  Tape<Real>& tape = queries.tape();
  return tape.constant(std::move(lengths)) * autograd::sigmoid(autograd::matmul(autograd::tanh(of_place(queries)), tape.parameter(place)));
}

template <class Real>
Attended<Real> Attention<Real>::operator()(const Memory<Real>& memory, const Variable<Real>& queries, Index first_step) const {
  Tape<Real>& tape = queries.tape();
  const Index n = queries.extent(1), places = memory.values.extent(1);
  const Variable<Real> scores = by_tanh(kind) ? additive::additive_scores(of_query(queries), memory.keys, tape.parameter(v))
                                              : autograd::matmul(queries, memory.keys, autograd::Right::transposed);
  Variable<Real> centres;
  if (kind == Kind::local_p) centres = predicted_places(memory, queries);
  const auto centre = [&](Index b, Index i) {
    if (kind == Kind::local_p) return static_cast<double>(centres.data()[b * n + i]);
    // A long answer to a short word would look past its end, at nothing: it stays at the last place.
    return static_cast<double>(std::min(first_step + i, memory.lengths[size(b)] - 1));
  };
  Variable<Real> weights = autograd::softmax(scores, visible(memory.lengths, n, places, window, is_local(kind), centre));
  if (kind == Kind::local_p) weights = weights * gaussian(centres, places, window);
  return {autograd::matmul(weights, memory.values), weights};
}

template <class Real>
void Attention<Real>::collect(const std::string& name, ParameterList<Real>& list) {
  if (by_tanh(kind)) of_query.collect(name + ".of_query", list);
  if (by_tanh(kind) || by_general(kind)) of_key.collect(name + ".of_key", list);
  if (by_tanh(kind)) list.push_back({name + ".v", &v});
  if (kind == Kind::local_p) {
    of_place.collect(name + ".of_place", list);
    list.push_back({name + ".place", &place});
  }
}

template struct Attention<float>;
template struct Attention<double>;

}  // namespace attention::sequence_to_sequence
