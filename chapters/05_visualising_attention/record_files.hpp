#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "record/attention_record.hpp"

/// Files that are made from a record.
namespace attention::visualising {

/// For a sequence that looks at itself: the records NAME_rollout (a layer for each layer, one head) and
/// NAME_flow (one layer, its rows divided by their sums) in `folder`, see over_layers.hpp. Gives their names;
/// flow is left out where it would take too long, and both for a record of one layer or of other kinds.
std::vector<std::string> write_over_layers(const record::AttentionRecord& record,
                                           const std::filesystem::path& folder, const std::string& name);

/// For bertviz (Vig 2019): NAME.layer_1.npy, …, float32 [1, heads, queries, keys] each, and NAME.tokens.json
/// with the lists "queries" and "keys", in `folder`. Only for tokens that look at tokens; gives whether they
/// are.
bool write_for_bertviz(const record::AttentionRecord& record, const std::filesystem::path& folder,
                       const std::string& name);

/// The lines of Python that show such an export.
std::string bertviz_lines(const record::AttentionRecord& record, const std::string& name);

}  // namespace attention::visualising
