#pragma once

#include <span>
#include <string>

#include "record/evidence_record.hpp"
#include "training_task.hpp"

namespace attention::recurrent_attention {

/// On what a classifier's answers to these texts depend, word by word: its weights, what changes when a word
/// is left out (read anew, without it), gradient times input; and its states and output layer. A text of one
/// word without that word is read as one unknown word. With all threads. Throws std::invalid_argument for a
/// classifier that is not of Pooling::attention.
record::EvidenceRecord evidence_of(const TextClassifier<float>& model, std::span<const Example> examples,
                                   const Corpus& corpus, std::string title);

}  // namespace attention::recurrent_attention
