#include "loaders/vocabulary.hpp"

#include <algorithm>

namespace attention::datasets {

Vocabulary::Vocabulary(const Counts& counts, std::size_t least) : words_{"<padding>", "<unknown>", "<begin>", "<end>"} {
  std::vector<std::pair<std::string, std::size_t>> frequent;
  std::size_t all = 0;
  std::size_t known = 0;
  for (const auto& [word, count] : counts.counts_) {
    all += count;
    if (count < least) continue;
    known += count;
    frequent.emplace_back(word, count);
  }
  // The map is in the alphabet's order, which a stable sort keeps among equal counts.
  std::ranges::stable_sort(frequent, std::ranges::greater(), &std::pair<std::string, std::size_t>::second);
  for (const auto& [word, count] : frequent) {
    ids_.emplace(word, static_cast<int>(words_.size()));
    words_.push_back(word);
  }
  coverage_ = all == 0 ? 0 : static_cast<double>(known) / static_cast<double>(all);
}

int Vocabulary::id(std::string_view word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() ? unknown : found->second;
}

std::vector<int> Vocabulary::ids(const std::vector<std::string>& words) const {
  std::vector<int> ids;
  for (const std::string& word : words) ids.push_back(id(word));
  return ids;
}

}  // namespace attention::datasets
