#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "program/json.hpp"
#include "tensor/tensor.hpp"

/// What the answer of a classifier that pools by attention depends on, word by word, in a form from which
/// others can ask whether its weights explain it, without the model.
///
/// A record called NAME is NAME.evidence.json and, beside it, the .npy files that it names:
///
///     {
///       "schema": 1, "title": "…", "data": "real" or "stand_in",
///       "classes": [C texts],
///       "texts": [{"words": [n texts], "class": c}],      the right class, counted from 0
///       "words": "NAME.words.npy",      float32 [all words, 3]: attention, leave_one_out, gradient
///       "states": "NAME.states.npy",    float32 [all words, d]: what attention weighs
///       "output": "NAME.output.npy",    float32 [d + 1, C]: the output layer's matrix, and its bias in the
///       last row "machine": {…}                  optional
///     }
///
/// The classifier's answer follows from weights α and states h as softmax(Wᵀ tanh(Σ α_t h_t) + b): Zhou et
/// al. 2016, equations 11 to 13. The words of a text have attention that sums to 1, within 1e-3.
namespace attention::record {

struct EvidenceText {
  std::vector<std::string> words;
  std::size_t label = 0;
  std::vector<float> attention;
  /// Total variation of the answer when the word is left out, 0 to 1 (Jain and Wallace 2019, algorithm 1).
  std::vector<float> leave_one_out;
  /// Σ over the numbers x of a word of x · ∂ log share(the class that is told) / ∂x: gradient × input.
  std::vector<float> gradient;
};

struct EvidenceRecord {
  std::string title;
  bool real = true;
  std::vector<std::string> classes;
  std::vector<EvidenceText> texts;
  tensor::Tensor<2> states;  ///< [all words, d], text after text
  tensor::Tensor<2> output;  ///< [d + 1, classes]
  Json machine = nullptr;
};

/// Writes the record as `folder`/`name`.evidence.json and its .npy files, the JSON last, each whole or not at
/// all. Throws UserError where the parts do not agree or cannot be written.
void write(const EvidenceRecord& record, const std::filesystem::path& folder, const std::string& name);

/// Reads a record by its .evidence.json file and checks all of it. Throws UserError naming the file, the
/// field, and what was found and expected.
EvidenceRecord read_evidence(const std::filesystem::path& file);

}  // namespace attention::record
