#include "autograd/tape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "autograd/product.hpp"

namespace attention::autograd {

template <class Real>
Index Variable<Real>::extent(Index axis) const {
  return static_cast<Index>(value().shape()[static_cast<std::size_t>(axis < 0 ? axis + rank() : axis)]);
}

template <class Real>
bool Variable<Real>::needs_gradient() const {
  return tape_->nodes_[node_].needs_gradient;
}

template <class Real>
Real* Variable<Real>::gradient() const {
  auto& node = tape_->nodes_[node_];
  if (!node.has_gradient) {
    node.gradient = tensor::filled_array<Real>(shape(), 0);
    node.has_gradient = true;
  }
  return node.gradient.data();
}

template <class Real>
Variable<Real> Tape<Real>::add(Node node) {
  nodes_.push_back(std::move(node));
  Node& there = nodes_.back();
  if (!there.value) there.value = &there.own;
  return Variable<Real>(*this, nodes_.size() - 1);
}

template <class Real>
Variable<Real> Tape<Real>::constant(ArrayOf<Real> value) {
  Node node;
  node.own = std::move(value);
  return add(std::move(node));
}

template <class Real>
Variable<Real> Tape<Real>::variable(ArrayOf<Real> value) {
  Node node;
  node.own = std::move(value);
  node.needs_gradient = node.kept = true;
  return add(std::move(node));
}

template <class Real>
Variable<Real> Tape<Real>::parameter(const Parameter<Real>& parameter) {
  const auto [place, is_new] = parameters_.try_emplace(&parameter, nodes_.size());
  if (!is_new) return Variable<Real>(*this, place->second);
  Node node;
  node.value = &parameter.value;
  node.parameter = true;
  node.needs_gradient = node.kept = mode_ == Mode::training;
  return add(std::move(node));
}

template <class Real>
Variable<Real> Tape<Real>::record(ArrayOf<Real> value, std::span<const Variable<Real>> inputs, Backward<Real> backward) {
  Node node;
  node.own = std::move(value);
  node.needs_gradient = std::ranges::any_of(inputs, [](const Variable<Real>& v) { return v.needs_gradient(); });
  if (node.needs_gradient) node.backward = std::move(backward);
  return add(std::move(node));
}

template <class Real>
void Tape<Real>::backward(const Variable<Real>& loss) {
  if (loss.size() != 1)
    throw std::invalid_argument(fmt::format("a gradient is of one number; this loss has {}", loss.size()));
  loss.gradient()[0] += 1;
  for (std::size_t i = loss.node() + 1; i-- > 0;) {
    Node& node = nodes_[i];
    if (node.has_gradient && node.backward) node.backward(*node.value, node.gradient);
    // What was computed on the way is not asked for again; memory is.
    if (!node.kept) {
      node.gradient = ArrayOf<Real>();
      node.has_gradient = false;  // a second loss on the same tape starts from nothing here
    }
  }
  for (Node& node : nodes_)
    if (!node.deferred.empty()) multiply_deferred(node);
}

template <class Real>
const ArrayOf<Real>* Tape<Real>::gradient(const Variable<Real>& variable) const {
  const Node& node = nodes_[variable.node()];
  return node.has_gradient && node.kept ? &node.gradient : nullptr;
}

template <class Real>
const ArrayOf<Real>* Tape<Real>::gradient(const Parameter<Real>& parameter) const {
  const auto place = parameters_.find(&parameter);
  if (place == parameters_.end()) return nullptr;
  const Node& node = nodes_[place->second];
  return node.has_gradient ? &node.gradient : nullptr;
}

template <class Real>
void Tape<Real>::defer_product(const Variable<Real>& weights, ArrayOf<Real> left, ArrayOf<Real> right) {
  nodes_[weights.node()].deferred.push_back({std::move(left), std::move(right)});
}

template <class Real>
void Tape<Real>::multiply_deferred(Node& node) {
  const auto last = [](const ArrayOf<Real>& a) { return static_cast<Index>(a.shape().back()); };
  const Index rows = last(node.deferred[0].left), columns = last(node.deferred[0].right);
  Index depth = 0;
  for (const Deferred& d : node.deferred) depth += static_cast<Index>(d.left.size()) / rows;
  std::ranges::reverse(node.deferred);  // they came from the last to the first; the sum goes from the first to the last
  ArrayOf<Real> left = tensor::empty_array<Real>({static_cast<std::size_t>(depth), static_cast<std::size_t>(rows)});
  ArrayOf<Real> right = tensor::empty_array<Real>({static_cast<std::size_t>(depth), static_cast<std::size_t>(columns)});
  Real* left_to = left.data();
  Real* right_to = right.data();
  for (const Deferred& d : node.deferred) {
    left_to = std::copy_n(d.left.data(), d.left.size(), left_to);
    right_to = std::copy_n(d.right.data(), d.right.size(), right_to);
  }
  node.deferred.clear();
  if (!node.has_gradient) {
    node.gradient = tensor::filled_array<Real>(tensor::shape_of(*node.value), 0);
    node.has_gradient = true;
  }
  multiply<Real>({.rows = rows, .columns = columns, .depth = depth, .left_transposed = true}, left.data(), right.data(),
                 node.gradient.data());
}

template <class Real>
const float* Tape<Real>::packed([[maybe_unused]] const Variable<Real>& weights, [[maybe_unused]] bool transposed) {
  if constexpr (std::is_same_v<Real, float>) {
    Node& node = nodes_[weights.node()];
    tensor::UnsetBuffer& packed = node.packed[transposed ? 1 : 0];
    if (packed.size() == 0) packed = pack(weights.data(), weights.extent(0), weights.extent(1), transposed);
    return packed.data();
  } else {
    return nullptr;
  }
}

template class Variable<float>;
template class Variable<double>;
template class Tape<float>;
template class Tape<double>;

}  // namespace attention::autograd
