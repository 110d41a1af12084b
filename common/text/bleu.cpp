#include "text/bleu.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <stdexcept>
#include <tuple>

namespace attention::text {
namespace {

using Run = std::span<const std::string>;
struct BeforeOf {
  bool operator()(Run a, Run b) const { return std::ranges::lexicographical_compare(a, b); }
};
using RunCounts = std::map<Run, std::size_t, BeforeOf>;

RunCounts runs_of(const Words& words, std::size_t length) {
  RunCounts counts;
  for (std::size_t i = 0; i + length <= words.size(); ++i) ++counts[Run(words).subspan(i, length)];
  return counts;
}

std::size_t nearest_length(std::size_t length, const std::vector<Words>& references) {
  const auto distance = [&](const Words& r) {
    return std::tuple(r.size() > length ? r.size() - length : length - r.size(), r.size());
  };
  return std::ranges::min_element(references, {}, distance)->size();
}

}  // namespace

Bleu corpus_bleu(const std::vector<Words>& candidates, const std::vector<std::vector<Words>>& references) {
  if (candidates.size() != references.size()) throw std::invalid_argument("each candidate needs its references");
  Bleu bleu;
  std::array<std::size_t, 4> right{};
  std::array<std::size_t, 4> all{};
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (references[i].empty()) throw std::invalid_argument("a candidate needs a reference");
    bleu.candidate_words += candidates[i].size();
    bleu.reference_words += nearest_length(candidates[i].size(), references[i]);
    for (std::size_t n = 0; n < right.size(); ++n) {
      // A run of words counts as right as often as the reference in which it stands most often has it.
      RunCounts most;
      for (const Words& reference : references[i])
        for (const auto& [run, count] : runs_of(reference, n + 1)) most[run] = std::max(most[run], count);
      for (const auto& [run, count] : runs_of(candidates[i], n + 1)) {
        all[n] += count;
        if (const auto found = most.find(run); found != most.end()) right[n] += std::min(count, found->second);
      }
    }
  }
  double logarithms = 0;
  for (std::size_t n = 0; n < right.size(); ++n) {
    bleu.precision[n] = all[n] == 0 ? 0 : static_cast<double>(right[n]) / static_cast<double>(all[n]);
    logarithms += std::log(bleu.precision[n]) / static_cast<double>(right.size());
  }
  if (bleu.candidate_words > 0) {
    const double ratio = static_cast<double>(bleu.reference_words) / static_cast<double>(bleu.candidate_words);
    bleu.brevity_penalty = std::exp(std::min(0.0, 1 - ratio));
  }
  bleu.score = 100 * bleu.brevity_penalty * std::exp(logarithms);
  return bleu;
}

}  // namespace attention::text
