#pragma once

#include <optional>
#include <span>
#include <vector>

#include "adversary.hpp"
#include "record/evidence_record.hpp"

/// Do the weights explain the answer? Jain and Wallace 2019, section 4: whether they order the words as what
/// matters by other measures does, and whether other weights would have given another answer.
namespace attention::visualising {

/// Of two orders of the words of a text; nothing where one of them ties all.
struct Agreement {
  std::optional<double> tau;  ///< Kendall's
  std::optional<double> rho;  ///< Spearman's
};
Agreement agreement(std::span<const double> a, std::span<const double> b);

/// What was found about one text.
struct TextFindings {
  Agreement leave_one_out;  ///< weights and the effect of leaving a word out
  Agreement gradient;       ///< weights and the size of gradient × input
  Agreement between;        ///< these two measures, one with the other: what agreement to hope for
  bool same_top = false;  ///< the word with the largest weight is the one whose absence moves the answer most
  Adversary other;
  double equal_variation = 0;  ///< total variation of the answer under equal weights
  double shuffled_variation =
      0;  ///< the same under shuffled weights, the median of 100 shuffles (ibid., section 4.2.1)
  double single_same =
      0;               ///< share of the words whose state alone, with all the weight, tells the same class
  bool right = false;  ///< the class is told rightly
  bool right_equal = false;  ///< also under equal weights
};

/// Of every text, with all threads; what is random follows from `seed` and the text's place alone.
std::vector<TextFindings> examine(const record::EvidenceRecord& record, const AdversarySettings& settings,
                                  std::uint64_t seed);

}  // namespace attention::visualising
