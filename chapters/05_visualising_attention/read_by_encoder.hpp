#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "explanation.hpp"
#include "record/attention_record.hpp"
#include "sentence_encoder.hpp"

namespace attention::visualising {

/// What the sentence encoder makes of a sentence, piece by piece.
struct EncoderReading {
  record::AttentionRecord record;
  std::vector<double> received;  ///< the weight on a piece, mean over heads, layers and queries
  std::vector<double> rolled;    ///< the same of the rollout to the last layer, mean over queries: the
                                 ///< encoder's answer is their mean
  std::vector<double> flowing;   ///< the same of the flow
  std::vector<double>
      leave_one_out;  ///< 1 − the similarity of the sentence without the piece to the sentence
};

/// Of a sentence of at least one piece; its first 128 count. `title` is the record's. Throws
/// std::invalid_argument for none.
EncoderReading read_with(const multi_head::SentenceEncoder& encoder, std::vector<std::size_t> pieces,
                         std::string title);

}  // namespace attention::visualising
