#include "text/chrf.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <stdexcept>
#include <string_view>

namespace attention::text {
namespace {

constexpr std::size_t longest = 6;
constexpr double beta = 2;

/// The characters of UTF-8 text without spaces, each as its bytes.
std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    for (std::size_t k = 1; k < bytes; ++k)
      if (i + k >= text.size() || (static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80U) bytes = 1;
    if (std::string_view(" \t\r\n").find(text[i]) == std::string_view::npos) found.push_back(text.substr(i, bytes));
    i += bytes;
  }
  return found;
}

using Counts = std::map<std::string, std::size_t>;

Counts runs_of(const std::vector<std::string_view>& letters, std::size_t length) {
  Counts counts;
  for (std::size_t i = 0; i + length <= letters.size(); ++i) {
    std::string run;
    for (std::size_t k = 0; k < length; ++k) run += letters[i + k];
    ++counts[run];
  }
  return counts;
}

}  // namespace

double corpus_chrf(const std::vector<std::string>& candidates, const std::vector<std::string>& references) {
  if (candidates.size() != references.size()) throw std::invalid_argument("each candidate needs its reference");
  std::array<double, longest> right{};
  std::array<double, longest> found{};
  std::array<double, longest> wanted{};
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto candidate = characters(candidates[i]);
    const auto reference = characters(references[i]);
    for (std::size_t n = 0; n < longest; ++n) {
      const Counts truth = runs_of(reference, n + 1);
      for (const auto& [run, count] : truth) wanted[n] += static_cast<double>(count);
      for (const auto& [run, count] : runs_of(candidate, n + 1)) {
        found[n] += static_cast<double>(count);
        if (const auto same = truth.find(run); same != truth.end()) right[n] += static_cast<double>(std::min(count, same->second));
      }
    }
  }
  double precision = 0;
  double recall = 0;
  double lengths = 0;
  for (std::size_t n = 0; n < longest; ++n) {
    if (found[n] == 0 || wanted[n] == 0) continue;
    precision += right[n] / found[n];
    recall += right[n] / wanted[n];
    lengths += 1;
  }
  if (precision == 0 || recall == 0) return 0;
  precision /= lengths;
  recall /= lengths;
  return 100 * (1 + beta * beta) * precision * recall / (beta * beta * precision + recall);
}

}  // namespace attention::text
