#include "over_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "program/error.hpp"
#include "program/in_parallel.hpp"

namespace attention::visualising {

namespace {

using program::UserError;

std::size_t side(const std::vector<Matrix>& layers) {
  if (layers.empty()) throw std::invalid_argument("no layers to look through");
  return layers.front().shape()[0];
}

Matrix product(const Matrix& a, const Matrix& b) {
  const std::size_t n = a.shape()[0];
  Matrix c = tensor::empty<2, double>({n, n});
  c.fill(0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t j = 0; j < n; ++j) c(i, j) += a(i, k) * b(k, j);
  return c;
}

/// Paths of two edges that meet nowhere: each position between lets through what its narrower edge carries.
Matrix flow_of_two(const Matrix& last, const Matrix& first) {
  const std::size_t n = last.shape()[0];
  Matrix found = tensor::empty<2, double>({n, n});
  found.fill(0);
  program::in_parallel(n, [&](std::size_t i) {
    for (std::size_t k = 0; k < n; ++k)
      for (std::size_t j = 0; j < n; ++j) found(i, j) += std::min(last(i, k), first(k, j));
  });
  return found;
}

/// From position `i` of the last layer to input `j`. Places: the inputs, then each layer's positions.
double flow_between(const std::vector<Matrix>& layers, std::size_t i, std::size_t j) {
  const std::size_t n = side(layers);
  FlowNetwork network(n * (layers.size() + 1));
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t from = 0; from < n; ++from)
      for (std::size_t to = 0; to < n; ++to)
        if (layers[l](from, to) > 0) network.add((l + 1) * n + from, l * n + to, layers[l](from, to));
  return network.largest_flow(layers.size() * n + i, j);
}

}  // namespace

std::vector<Matrix> with_residual(const tensor::Tensor<4>& weights) {
  const auto& shape = weights.shape();
  const std::size_t heads = shape[1], n = shape[2];
  if (n != shape[3])
    throw UserError(
        fmt::format("rollout and flow are of self-attention: {} queries look at {} keys here", n, shape[3]));
  std::vector<Matrix> layers;
  for (std::size_t l = 0; l < shape[0]; ++l) {
    Matrix& a = layers.emplace_back(tensor::empty<2, double>({n, n}));
    a.fill(0);
    for (std::size_t h = 0; h < heads; ++h)
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
          const auto weight = static_cast<double>(weights.data()[((l * heads + h) * n + i) * n + j]);
          if (!std::isfinite(weight))
            throw UserError(fmt::format("the weight of layer {}, head {}, query {}, key {} is not a number",
                                        l + 1, h + 1, i + 1, j + 1));
          a(i, j) += weight / (2 * static_cast<double>(heads));
        }
    for (std::size_t i = 0; i < n; ++i) {
      a(i, i) += 0.5;
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += a(i, j);
      for (std::size_t j = 0; j < n; ++j) a(i, j) /= sum;
    }
  }
  return layers;
}

std::vector<Matrix> rollout(const std::vector<Matrix>& layers) {
  side(layers);
  std::vector<Matrix> found{layers.front()};
  for (std::size_t l = 1; l < layers.size(); ++l) found.push_back(product(layers[l], found.back()));
  return found;
}

Matrix flow(const std::vector<Matrix>& layers) {
  const std::size_t n = side(layers);
  if (layers.size() == 1) return layers.front();
  if (layers.size() == 2) return flow_of_two(layers[1], layers[0]);
  if (n > most_positions_of_flow)
    throw UserError(fmt::format(
        "the flow through {} layers is searched for {} positions at most, not {}; rollout takes any",
        layers.size(), most_positions_of_flow, n));
  Matrix found = tensor::empty<2, double>({n, n});
  program::in_parallel(n * n, [&](std::size_t c) { found.data()[c] = flow_between(layers, c / n, c % n); });
  return found;
}

void FlowNetwork::add(std::size_t from, std::size_t to, double capacity) {
  edges_of_[from].push_back(edges_.size());
  edges_.push_back({to, capacity});
  edges_of_[to].push_back(edges_.size());
  edges_.push_back({from, 0});
}

double FlowNetwork::largest_flow(std::size_t source, std::size_t sink) {
  double flow = 0;
  while (level(source, sink)) {
    next_.assign(edges_of_.size(), 0);
    while (const double pushed = push(source, sink, HUGE_VAL)) flow += pushed;
  }
  return flow;
}

/// How many edges each place is from the source; whether the sink can be reached.
bool FlowNetwork::level(std::size_t source, std::size_t sink) {
  constexpr auto far = static_cast<std::size_t>(-1);
  level_.assign(edges_of_.size(), far);
  level_[source] = 0;
  std::vector<std::size_t> reached{source};
  for (std::size_t at = 0; at < reached.size(); ++at)
    for (const std::size_t e : edges_of_[reached[at]])
      if (edges_[e].capacity > 0 && level_[edges_[e].to] == far) {
        level_[edges_[e].to] = level_[reached[at]] + 1;
        reached.push_back(edges_[e].to);
      }
  return level_[sink] != far;
}

/// Along one way through rising levels; an edge that leads nowhere is not tried again.
double FlowNetwork::push(std::size_t place, std::size_t sink, double amount) {
  if (place == sink) return amount;
  for (std::size_t& at = next_[place]; at < edges_of_[place].size(); ++at) {
    const std::size_t e = edges_of_[place][at];
    if (edges_[e].capacity <= 0 || level_[edges_[e].to] != level_[place] + 1) continue;
    const double pushed = push(edges_[e].to, sink, std::min(amount, edges_[e].capacity));
    if (pushed <= 0) continue;
    edges_[e].capacity -= pushed;
    edges_[e ^ 1].capacity += pushed;
    return pushed;
  }
  return 0;
}

// The chapter draws what others compute: it has no ladder.
std::vector<ladder::MechanismPtr> mechanisms() { return {}; }

}  // namespace attention::visualising
