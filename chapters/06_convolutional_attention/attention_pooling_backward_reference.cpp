#include "attention_pooling_backward.hpp"
#include "running_error.hpp"

namespace attention::convolutional {

namespace {

std::size_t at(Index i) { return static_cast<std::size_t>(i); }

/// One image: its dx into `input`, what it adds to dw into `weight`.
void one_image(const AttentionPoolingBackwardProblem& p, Index b, Rounded* input, Rounded* weight) {
  const AttentionPoolingProblem& f = p.forward;
  const Index places = f.places();
  const Index channels = f.channels();
  const auto x = [&](Index c, Index i) { return given(f.map_of(b, c)[i]); };
  const auto dy = [&](Index c) { return given(p.output_gradient_of(b)[c]); };
  RoundedNumbers a(at(places));
  for (Index i = 0; i < places; ++i) {
    RoundedSum score;
    for (Index c = 0; c < channels; ++c) score.add(given(f.weight.data()[c]) * x(c, i));
    a[at(i)] = score.total();
  }
  softmax(a.data(), places);
  RoundedSum delta;
  for (Index c = 0; c < channels; ++c) {
    RoundedSum y;
    for (Index i = 0; i < places; ++i) y.add(a[at(i)] * x(c, i));
    delta.add(dy(c) * y.total());
  }
  const Rounded D = delta.total();
  RoundedNumbers de(at(places));
  for (Index i = 0; i < places; ++i) {
    RoundedSum g;
    for (Index c = 0; c < channels; ++c) g.add(dy(c) * x(c, i));
    de[at(i)] = a[at(i)] * (g.total() - D);
  }
  for (Index c = 0; c < channels; ++c) {
    RoundedSum sum;
    for (Index i = 0; i < places; ++i) {
      sum.add(de[at(i)] * x(c, i));
      input[c * places + i] = a[at(i)] * dy(c) + de[at(i)] * given(f.weight.data()[c]);
    }
    weight[c] = sum.total();
  }
}

}  // namespace

AttentionPoolingBackwardReference reference(const AttentionPoolingBackwardProblem& p) {
  const AttentionPoolingProblem& f = p.forward;
  AttentionPoolingBackwardReference out;
  out.input = tensor::empty<4, double>(f.input.shape());
  out.weight = tensor::empty<1, double>(f.weight.shape());
  RoundedNumbers input(f.input.size());
  RoundedNumbers shares(at(f.batch() * f.channels()));
#pragma omp parallel for
  for (Index b = 0; b < f.batch(); ++b)
    one_image(p, b, input.data() + b * f.image_size(), shares.data() + b * f.channels());
  out.errors = {into(input, out.input), into(sums_of_rows(shares, f.batch(), f.channels()), out.weight)};
  return out;
}

}  // namespace attention::convolutional
