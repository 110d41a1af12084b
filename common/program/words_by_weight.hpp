#pragma once

#include <span>
#include <string>
#include <vector>

namespace attention::program {

/// The words on one line, each on a ground that is the brighter the larger its weight, the largest weight white. Without colour each word
/// whose weight is above that of equal weights is followed by it in per cent: "a large feline(62%)". Control characters are shown as
/// such.
std::string words_by_weight(std::span<const std::string> words, std::span<const float> weights, bool colour);

}  // namespace attention::program
