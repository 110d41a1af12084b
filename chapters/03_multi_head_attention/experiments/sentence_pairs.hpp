#pragma once

#include <span>

namespace attention::multi_head {

/// Two sentences, and whether a reader would say that they mean the same.
struct SentencePair {
  const char* first;
  const char* second;
  bool alike;
};

/// Written for this course: 16 pairs of like meaning, some in quite other words, and 16 of unlike meaning,
/// the first eight of which share words.
std::span<const SentencePair> sentence_pairs();

}  // namespace attention::multi_head
