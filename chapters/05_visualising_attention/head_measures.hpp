#pragma once

#include <optional>
#include <vector>

#include "record/attention_record.hpp"

namespace attention::visualising {

/// Of one head of a record, the mean over its queries.
struct HeadMeasures {
  std::size_t layer = 0, head = 0;  ///< from 1
  double entropy = 0;               ///< bits: 0 where one key has all, log₂ keys where all have the same
  double entropy_share = 0;         ///< of log₂ keys; 0 for a single key
  double largest = 0;               ///< the largest weight of a row
  /// Tokens between a query and what it looks at, weighted; only where a sequence of tokens looks at itself.
  std::optional<double> distance = std::nullopt;
};

/// Whether a sequence of tokens looks at itself, so that places have a distance and layers can be put one on another.
bool looks_at_itself(const record::AttentionRecord& record);

/// Of every head, layer by layer. A row is divided by its sum; one of sum 0 counts as nothing.
std::vector<HeadMeasures> head_measures(const record::AttentionRecord& record);

}  // namespace attention::visualising
