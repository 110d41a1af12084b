#pragma once

#include <string>
#include <vector>

namespace attention::text {

/// chrF2 of a whole corpus, 0 to 100: the F score of runs of 1 to 6 characters, recall counting twice as much as precision
/// (β = 2), spaces left out. Counts are summed over the corpus; precision and recall are averaged over those lengths of runs that
/// both sides have; then F = (1 + β²) P R / (β² P + R). Characters are Unicode's; a byte that is not UTF-8 counts as one.
/// Throws std::invalid_argument where the lists differ in length.
/// Source: M. Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015, eq. 1.
double corpus_chrf(const std::vector<std::string>& candidates, const std::vector<std::string>& references);

}  // namespace attention::text
