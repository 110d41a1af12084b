#include "tokeniser.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "program/error.hpp"

namespace attention::multi_head {

namespace {

constexpr std::string_view space = "▁";

/// Where each character of UTF-8 text begins, and its end.
std::vector<std::size_t> character_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) starts.push_back(i);
  starts.push_back(text.size());
  return starts;
}

std::string normal_form(std::string_view text) {
  utf8proc_uint8_t* form = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
  const utf8proc_ssize_t bytes = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                              static_cast<utf8proc_ssize_t>(text.size()), &form, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(form, &std::free);
  if (bytes == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  if (bytes < 0) throw program::UserError("the text is not UTF-8; convert it first");
  return {reinterpret_cast<const char*>(form), static_cast<std::size_t>(bytes)};
}

/// NFKC, spaces as ▁ and one before.
std::string prepare(std::string_view text) {
  if (text.empty()) return {};
  std::string prepared(space);
  for (const char c : normal_form(text))
    if (c == ' ')
      prepared += space;
    else
      prepared += c;
  return prepared;
}

}  // namespace

Tokeniser::Tokeniser(std::vector<std::pair<std::string, double>> pieces, std::size_t reserved) : pieces_(std::move(pieces)) {
  for (std::size_t number = reserved; number < pieces_.size(); ++number) {
    const std::string& piece = pieces_[number].first;
    if (piece.empty()) continue;
    numbers_[piece] = number;  // of two that are alike the later one counts
    longest_ = std::max(longest_, character_starts(piece).size() - 1);
  }
}

std::vector<std::size_t> Tokeniser::encode(std::string_view text) const {
  const std::string prepared = prepare(text);
  const std::string_view all = prepared;
  const std::vector<std::size_t> at = character_starts(all);
  const std::size_t characters = at.size() - 1;

  // The best way to cut the first `end` characters: its score, its last piece, and how long that is. Where no piece ends, an
  // unknown character does, at no cost.
  struct Best {
    double score = 0;
    std::size_t piece = 0;
    std::size_t length = 1;
  };
  std::vector<Best> best(characters + 1);
  for (std::size_t start = 0; start < characters; ++start) {
    bool known = false;
    const auto offer = [&](std::size_t piece, std::size_t length, double score) {
      Best& end = best[start + length];
      const double sum = best[start].score + score;
      // Of equal ones the shorter last piece wins, which comes later. A score of 0 is none yet.
      if (end.score == 0 || sum >= end.score) end = {sum, piece, length};
    };
    for (std::size_t length = 1; length <= std::min(longest_, characters - start); ++length) {
      const auto found = numbers_.find(all.substr(at[start], at[start + length] - at[start]));
      if (found == numbers_.end()) continue;
      offer(found->second, length, pieces_[found->second].second);
      known = true;
    }
    if (!known) offer(0, 1, 0);
  }

  std::vector<std::size_t> numbers;
  for (std::size_t end = characters; end > 0; end -= best[end].length)
    if (best[end].piece != 0 || numbers.empty() || numbers.back() != 0) numbers.push_back(best[end].piece);
  std::ranges::reverse(numbers);
  return numbers;
}

}  // namespace attention::multi_head
