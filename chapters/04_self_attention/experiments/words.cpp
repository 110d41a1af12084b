#include "experiments/words.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "numerics/random.hpp"

namespace attention::self_attention {

namespace {

/// FNV-1a, 64 bits (Fowler, Noll and Vo).
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xCBF29CE484222325ULL;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return value;
}

}  // namespace

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) || (c == '\'' && !word.empty()) || static_cast<unsigned char>(c) >= 128) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

std::vector<std::string> running_text(const datasets::Glosses& data, std::size_t count, std::size_t step) {
  std::vector<std::string> text;
  for (std::size_t at = 0, round = 0; text.size() < count && round < step; at += step) {
    if (at >= data.glosses.size()) at = ++round;
    const std::vector<std::string> words = words_of(data.glosses[at].text);
    text.insert(text.end(), words.begin(), words.end());
  }
  text.resize(std::min(text.size(), count));
  return text;
}

Tensor<3> word_vectors(const std::vector<std::string>& words, Index width) {
  auto vectors = tensor::empty<3>({1, words.size(), static_cast<std::size_t>(width)});
  std::vector<double> sum(static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string marked = "<" + words[i] + ">";
    std::ranges::fill(sum, 0.0);
    for (std::size_t length = 3; length <= 5; ++length)
      for (std::size_t first = 0; first + length <= std::max(marked.size(), length); ++first) {
        numerics::Random random(hash(std::string_view(marked).substr(first, length)));
        for (double& x : sum) x += static_cast<double>(random.normal());
      }
    double squares = 0;
    for (const double x : sum) squares += x * x;
    const double factor = std::sqrt(static_cast<double>(width) / squares);
    for (std::size_t c = 0; c < sum.size(); ++c) vectors.data()[i * sum.size() + c] = static_cast<float>(sum[c] * factor);
  }
  return vectors;
}

Tensor<2> random_table(Index rows, Index width) {
  auto table = tensor::empty<2>({static_cast<std::size_t>(rows), static_cast<std::size_t>(width)});
  numerics::Random random(3);
  for (float& x : table) x = std::sqrt(0.5F) * random.normal();
  return table;
}

Problem word_problem(const std::vector<std::string>& words, Index heads, Index dim, float sharpness, Mask mask, Positions positions) {
  Problem p;
  p.input = word_vectors(words, heads * dim);
  p.mask = mask;
  p.positions = positions;
  const auto width = static_cast<std::size_t>(heads * dim);
  for (Tensor<3>* weight : {&p.query_weight, &p.key_weight, &p.value_weight}) {
    *weight = tensor::empty<3>({width, static_cast<std::size_t>(heads), static_cast<std::size_t>(dim)});
    weight->fill(0);
    for (std::size_t k = 0; k < width; ++k) weight->data()[k * width + k] = weight == &p.query_weight ? sharpness : 1;
  }
  if (positions == Positions::learned) p.position_table = random_table(p.n(), p.width());
  return p;
}

}  // namespace attention::self_attention
