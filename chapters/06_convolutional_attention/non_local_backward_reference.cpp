#include <algorithm>

#include "non_local_backward.hpp"
#include "running_error.hpp"

namespace attention::convolutional {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// [rows × columns] of `element(row, column)`, rows in parallel.
template <class Element>
RoundedNumbers matrix(Index rows, Index columns, Element element) {
  RoundedNumbers to(at(rows * columns));
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < rows; ++i)
    for (Index c = 0; c < columns; ++c) to[at(i * columns + c)] = element(i, c);
  return to;
}

/// Σ_k term(k)
template <class Term>
Rounded sum(Index n, Term term) {
  RoundedSum all;
  for (Index k = 0; k < n; ++k) all.add(term(k));
  return all.total();
}

/// The matrices of one image, [positions × inner], and what becomes of the pairs, [positions × positions].
struct Attended {
  RoundedNumbers query, key, value, mean, weights, score_gradients;
};

/// Softmax, means, and from dY the gradients of the scores: row by row.
void attend(Index positions, Index inner, const RoundedNumbers& mean_gradient, Attended& a) {
  const auto dot = [inner](const RoundedNumbers& x, Index i, const RoundedNumbers& y, Index j) {
    return sum(inner, [&](Index e) { return x[at(i * inner + e)] * y[at(j * inner + e)]; });
  };
  a.mean.resize(at(positions * inner));
  a.weights.resize(at(positions * positions));
  a.score_gradients.resize(at(positions * positions));
#pragma omp parallel for schedule(static)
  for (Index i = 0; i < positions; ++i) {
    Rounded* weight = a.weights.data() + i * positions;
    Rounded* gradient = a.score_gradients.data() + i * positions;
    for (Index j = 0; j < positions; ++j) weight[j] = dot(a.query, i, a.key, j);
    softmax(weight, positions);
    for (Index e = 0; e < inner; ++e)
      a.mean[at(i * inner + e)] = sum(positions, [&](Index j) { return weight[j] * a.value[at(j * inner + e)]; });
    const Rounded delta = dot(mean_gradient, i, a.mean, i);
    for (Index j = 0; j < positions; ++j) gradient[j] = weight[j] * (dot(mean_gradient, i, a.value, j) - delta);
  }
}

void add(RoundedNumbers& to, const RoundedNumbers& more) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = to[i] + more[i];
}

}  // namespace

NonLocalBackwardReference reference(const NonLocalBackwardProblem& p) {
  const NonLocalProblem& f = p.forward;
  const Index n = f.positions();
  const Index inner = f.inner();
  const Index channels = f.channels();
  NonLocalBackwardReference out;
  out.input = tensor::empty<4, double>(f.input.shape());
  for (auto [gradient, of] :
       {std::pair(&out.theta, &f.theta), {&out.phi, &f.phi}, {&out.g, &f.g}, {&out.out_weight, &f.out_weight}})
    *gradient = tensor::empty<2, double>(of->shape());
  RoundedNumbers input;
  std::array<RoundedNumbers, 4> weights;
  for (RoundedNumbers& w : weights) w.assign(at(channels * inner), {});
  for (Index b = 0; b < f.batch(); ++b) {
    const auto x = [&, image = f.image_of(b)](Index c, Index i) { return given(image[c * n + i]); };
    const auto dz = [&, image = p.output_gradient_of(b)](Index c, Index i) { return given(image[c * n + i]); };
    const auto embedded = [&](const Tensor<2>& weight) {
      return matrix(n, inner, [&](Index i, Index e) {
        return sum(channels, [&](Index c) { return given(weight.data()[e * channels + c]) * x(c, i); });
      });
    };
    Attended a;
    a.query = embedded(f.theta);
    a.key = embedded(f.phi);
    a.value = embedded(f.g);
    const auto dy = matrix(n, inner, [&](Index i, Index e) {
      return sum(channels, [&](Index c) { return dz(c, i) * given(f.out_weight.data()[c * inner + e]); });
    });
    attend(n, inner, dy, a);
    const std::array gradients{
        matrix(n, inner,
               [&](Index i, Index e) {
                 return sum(n, [&](Index j) { return a.score_gradients[at(i * n + j)] * a.key[at(j * inner + e)]; });
               }),
        matrix(n, inner,
               [&](Index j, Index e) {
                 return sum(n, [&](Index i) { return a.score_gradients[at(i * n + j)] * a.query[at(i * inner + e)]; });
               }),
        matrix(n, inner, [&](Index j, Index e) {
          return sum(n, [&](Index i) { return a.weights[at(i * n + j)] * dy[at(i * inner + e)]; });
        })};
    for (std::size_t m = 0; m < 3; ++m)
      add(weights[m], matrix(inner, channels, [&](Index e, Index c) {
            return sum(n, [&](Index i) { return gradients[m][at(i * inner + e)] * x(c, i); });
          }));
    add(weights[3], matrix(channels, inner, [&](Index c, Index e) {
          return sum(n, [&](Index i) { return dz(c, i) * a.mean[at(i * inner + e)]; });
        }));
    const auto dx = matrix(channels, n, [&](Index c, Index i) {
      RoundedSum all;
      all.add(dz(c, i));
      for (const auto& [m, weight] : {std::pair(0, &f.theta), {1, &f.phi}, {2, &f.g}})
        for (Index e = 0; e < inner; ++e)
          all.add(given(weight->data()[e * channels + c]) * gradients[at(m)][at(i * inner + e)]);
      return all.total();
    });
    input.insert(input.end(), dx.begin(), dx.end());
  }
  out.errors = {into(input, out.input), into(weights[0], out.theta), into(weights[1], out.phi), into(weights[2], out.g),
                into(weights[3], out.out_weight)};
  return out;
}

}  // namespace attention::convolutional
