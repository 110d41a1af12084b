#pragma once

#include <string>
#include <tuple>
#include <vector>

#include "exercise/exercise.hpp"
#include "exercise/wrong_softmax.hpp"

namespace attention::exercise {

/// The mistakes of a mechanism with a softmax: every fault of the softmax with the right scores, and every fault of the
/// scores, `faults`, with the right softmax. `answer(problem, fault, softmax)` computes it; Fault{} is none.
template <class Problem, class Fault>
std::vector<Mistake<Problem>> attention_mistakes(const std::vector<std::tuple<std::string, std::string, Fault>>& faults,
                                                 Arrays (*answer)(const Problem&, const Fault&, SoftmaxFault)) {
  std::vector<Mistake<Problem>> all;
  for (const NamedSoftmaxFault& known : softmax_faults())
    all.push_back({known.name, known.meaning,
                   [answer, softmax = known.fault](const Problem& p) { return answer(p, Fault{}, softmax); }});
  for (const auto& [name, meaning, fault] : faults)
    all.push_back(
        {name, meaning, [answer, wrong = fault](const Problem& p) { return answer(p, wrong, SoftmaxFault{}); }});
  return all;
}

/// Adds what one head gives to the arrays of the whole answer.
inline void append(std::vector<double>& all, const std::vector<double>& part) {
  all.insert(all.end(), part.begin(), part.end());
}

}  // namespace attention::exercise
