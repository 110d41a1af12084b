#include "adversary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "numerics/distribution.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"

namespace attention::visualising {

namespace {

using List = std::vector<double>;

List softmax(List scores) {
  const double largest = std::ranges::max(scores);
  double sum = 0;
  for (double& s : scores) sum += s = std::exp(s - largest);
  for (double& s : scores) s /= sum;
  return scores;
}

/// Through softmax: the gradient with respect to scores, from that with respect to shares.
List through_softmax(std::span<const double> shares, std::span<const double> gradient) {
  double mean = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) mean += shares[i] * gradient[i];
  List result(shares.size());
  for (std::size_t i = 0; i < shares.size(); ++i) result[i] = shares[i] * (gradient[i] - mean);
  return result;
}

/// tanh of the weighted sum of the states, equation 12.
List pooled(const PooledText& text, std::span<const double> weights) {
  const std::size_t width = text.width();
  List r(width);
  for (std::size_t t = 0; t < text.words; ++t)
    for (std::size_t k = 0; k < width; ++k)
      r[k] += weights[t] * static_cast<double>(text.states[t * width + k]);
  for (double& x : r) x = std::tanh(x);
  return r;
}

List answer_of(const PooledText& text, const List& h) {
  List scores(text.classes);
  for (std::size_t c = 0; c < text.classes; ++c)
    scores[c] = static_cast<double>(text.output[h.size() * text.classes + c]);
  for (std::size_t k = 0; k < h.size(); ++k)
    for (std::size_t c = 0; c < text.classes; ++c)
      scores[c] += h[k] * static_cast<double>(text.output[k * text.classes + c]);
  return softmax(std::move(scores));
}

/// Adam (Kingma and Ba 2015, algorithm 1) on one list of numbers.
class Ascent {
 public:
  Ascent(std::size_t size, double rate) : first_(size), second_(size), rate_(rate) {}
  void step(List& values, const List& gradient) {
    ++steps_;
    for (std::size_t i = 0; i < values.size(); ++i) {
      first_[i] = 0.9 * first_[i] + 0.1 * gradient[i];
      second_[i] = 0.999 * second_[i] + 0.001 * gradient[i] * gradient[i];
      values[i] += rate_ * first_[i] / (1 - std::pow(0.9, steps_)) /
                   (std::sqrt(second_[i] / (1 - std::pow(0.999, steps_))) + 1e-8);
    }
  }

 private:
  List first_, second_;
  double rate_;
  int steps_ = 0;
};

/// Rises from the weights softmax(`scores`) and keeps in `best` what lies farther than it.
void ascend(const PooledText& text, const List& given, const List& answer, List scores,
            const AdversarySettings& settings, Adversary& best) {
  Ascent ascent(scores.size(), settings.rate);
  for (int step = 0; step <= settings.steps; ++step) {
    const List weights = softmax(scores);
    const List now = text.answer(weights);
    const double divergence = numerics::jensen_shannon_in_bits<double>(weights, given);
    const double variation = numerics::total_variation<double>(now, answer);
    if (variation <= settings.epsilon && divergence > best.divergence)
      best = {weights, divergence, variation};
    List gradient(weights.size());
    // ∂ divergence / ∂ α_t = ½ log₂(α_t / mean_t): what else there is of it sums to 0.
    for (std::size_t t = 0; t < weights.size(); ++t)
      if (weights[t] > 0) gradient[t] = 0.5 * std::log2(2 * weights[t] / (weights[t] + given[t]));
    if (variation > settings.epsilon) {
      List away(now.size());
      for (std::size_t c = 0; c < now.size(); ++c)
        away[c] = settings.penalty * 0.5 * (now[c] > answer[c] ? 1 : -1);
      const List back = text.gradient(weights, away);
      for (std::size_t t = 0; t < weights.size(); ++t) gradient[t] -= back[t];
    }
    ascent.step(scores, through_softmax(weights, gradient));
  }
}

}  // namespace

List PooledText::answer(std::span<const double> weights) const {
  return answer_of(*this, pooled(*this, weights));
}

List PooledText::gradient(std::span<const double> weights, std::span<const double> of_answer) const {
  const List h = pooled(*this, weights);
  const List of_scores = through_softmax(answer_of(*this, h), of_answer);
  List of_sum(h.size());
  for (std::size_t k = 0; k < h.size(); ++k) {
    for (std::size_t c = 0; c < classes; ++c)
      of_sum[k] += of_scores[c] * static_cast<double>(output[k * classes + c]);
    of_sum[k] *= 1 - h[k] * h[k];
  }
  List result(words);
  for (std::size_t t = 0; t < words; ++t)
    for (std::size_t k = 0; k < h.size(); ++k)
      result[t] += of_sum[k] * static_cast<double>(states[t * h.size() + k]);
  return result;
}

Adversary find_adversary(const PooledText& text, std::span<const float> attention,
                         const AdversarySettings& settings, std::uint64_t seed) {
  if (text.words == 0 || attention.size() != text.words || text.states.size() % text.words != 0 ||
      text.output.size() != (text.width() + 1) * text.classes)
    throw std::invalid_argument("weights, states and output layer do not fit each other");
  for (std::size_t t = 0; t < attention.size(); ++t)
    if (!std::isfinite(attention[t]))
      throw program::UserError(
          fmt::format("the weight of word {} of {} is not a number", t + 1, attention.size()));
  const List given(attention.begin(), attention.end());
  const List answer = text.answer(given);
  Adversary best{given, 0, 0};
  numerics::Random random(seed);
  for (int start = 0; start < settings.starts; ++start) {
    List scores(text.words);
    if (start > 0)
      for (double& s : scores) s = 2 * static_cast<double>(random.normal());
    ascend(text, given, answer, std::move(scores), settings, best);
  }
  return best;
}

}  // namespace attention::visualising
