#include "explanation.hpp"

#include <algorithm>
#include <cmath>

#include "numerics/distribution.hpp"
#include "numerics/random.hpp"
#include "numerics/rank_correlation.hpp"
#include "numerics/shuffle.hpp"
#include "numerics/statistics.hpp"
#include "program/in_parallel.hpp"

namespace attention::visualising {

namespace {

constexpr int shuffles = 100;

using List = std::vector<double>;

std::size_t place_of_largest(std::span<const double> values) {
  return static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
}

TextFindings examine_text(const record::EvidenceText& text, const PooledText& pooled,
                          const AdversarySettings& settings, std::uint64_t seed) {
  const List weights(text.attention.begin(), text.attention.end());
  const List effect(text.leave_one_out.begin(), text.leave_one_out.end());
  List gradient;
  for (const float g : text.gradient) gradient.push_back(std::abs(static_cast<double>(g)));
  TextFindings found;
  found.leave_one_out = agreement(weights, effect);
  found.gradient = agreement(weights, gradient);
  found.between = agreement(effect, gradient);
  found.same_top = place_of_largest(weights) == place_of_largest(effect);
  found.other = find_adversary(pooled, text.attention, settings, seed);

  const List answer = pooled.answer(weights);
  const List equal = pooled.answer(List(weights.size(), 1 / static_cast<double>(weights.size())));
  found.equal_variation = numerics::total_variation<double>(equal, answer);
  found.right = place_of_largest(answer) == text.label;
  found.right_equal = place_of_largest(equal) == text.label;
  for (std::size_t t = 0; t < weights.size(); ++t) {
    List single(weights.size());
    single[t] = 1;
    if (place_of_largest(pooled.answer(single)) == place_of_largest(answer))
      found.single_same += 1 / static_cast<double>(weights.size());
  }
  List variations, shuffled = weights;
  numerics::Random random(seed);
  for (int s = 0; s < shuffles; ++s) {
    numerics::shuffle(std::span(shuffled), random);
    variations.push_back(numerics::total_variation<double>(pooled.answer(shuffled), answer));
  }
  found.shuffled_variation = numerics::median(variations);
  return found;
}

}  // namespace

Agreement agreement(std::span<const double> a, std::span<const double> b) {
  return {numerics::kendall_tau(a, b), numerics::spearman_rho(a, b)};
}

std::vector<TextFindings> examine(const record::EvidenceRecord& record, const AdversarySettings& settings,
                                  std::uint64_t seed) {
  std::vector<std::size_t> first{0};
  for (const record::EvidenceText& text : record.texts) first.push_back(first.back() + text.words.size());
  const std::size_t width = record.states.shape()[1];
  std::vector<TextFindings> found(record.texts.size());
  program::in_parallel(found.size(), [&](std::size_t i) {
    const record::EvidenceText& text = record.texts[i];
    const PooledText pooled{{record.states.data() + first[i] * width, text.words.size() * width},
                            {record.output.data(), record.output.size()},
                            text.words.size(),
                            record.classes.size()};
    found[i] = examine_text(text, pooled, settings, seed + i);
  });
  return found;
}

}  // namespace attention::visualising
