#pragma once

#include <span>
#include <string>

#include "record/attention_record.hpp"
#include "sentence_encoder.hpp"

namespace attention::multi_head {

/// The weights of all heads for a sentence's pieces, of which the first 128 count: an attention record of two layers,
/// pieces by pieces. Throws std::invalid_argument for a sentence without pieces.
record::AttentionRecord attention_record(const SentenceEncoder& encoder, std::span<const std::size_t> pieces,
                                         std::string title);

}  // namespace attention::multi_head
