#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "explanation.hpp"
#include "ladder/results.hpp"

namespace attention::visualising {

/// Examines the texts of the record and says what was found: a table and one text with two weightings on `out`,
/// NAME.json, and the figures for the summary, their names beginning with `prefix`.
std::vector<ladder::Figure> report_explanation(const record::EvidenceRecord& record, const ladder::Results& results,
                                               const std::string& name, const std::string& prefix, std::ostream& out);

}  // namespace attention::visualising
