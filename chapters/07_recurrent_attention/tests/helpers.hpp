#pragma once

#include "check_gradients.hpp"
#include "machine/affinity.hpp"
#include "training_task.hpp"

namespace attention::tests {

using namespace attention::recurrent_attention;

/// A classifier small enough for a gradient of every weight.
inline Sizes tiny_sizes() { return {.given = 3, .words = 9, .learnt = 2, .hidden = 4, .classes = 3}; }

/// Three texts of 4, 1 and 2 words, padded to `time`.
template <class Real>
Batch<Real> tiny_batch(Index time = 4) {
  const std::vector<std::vector<Index>> texts{{5, 1, 8, 5}, {4}, {7, 6}};
  Batch<Real> batch;
  batch.words.assign(static_cast<std::size_t>(time * 3), 0);
  batch.given = as<Real>(random_array({static_cast<std::size_t>(time), 3, 3}, 17));
  // What stands behind a text's end is of no account: it is filled with what would be seen.
  const ArrayOf<double> first = random_array({4, 3, 3}, 18);
  for (std::size_t b = 0; b < 3; ++b) {
    batch.lengths.push_back(std::ssize(texts[b]));
    for (std::size_t t = 0; t < texts[b].size(); ++t) {
      batch.words[t * 3 + b] = texts[b][t];
      for (std::size_t c = 0; c < 3; ++c) batch.given.data()[(t * 3 + b) * 3 + c] = static_cast<Real>(first.data()[(t * 3 + b) * 3 + c]);
    }
  }
  return batch;
}

/// A classifier whose attention is not at rest: as after some training.
template <class Real>
TextClassifier<Real> tiny_classifier(Pooling pooling) {
  TextClassifier<Real> model(tiny_sizes(), pooling, 5);
  if (pooling == Pooling::attention) {
    numerics::Random random(6);
    for (Real& w : model.attention.value) w = static_cast<Real>(2 * random.normal());
  }
  return model;
}

/// Stand-in glosses of three classes, the first `count` for training, and the same once more for validation.
inline datasets::GlossClasses few_glosses(std::size_t count = 20) {
  datasets::GlossClasses glosses;
  glosses.class_names = {"animal", "plant", "time"};
  const char* of_class[3][4] = {{"feline", "runs", "fur", "wild"}, {"leaves", "grows", "flower", "green"}, {"hour", "day", "long", "past"}};
  numerics::Random random(3);
  for (std::size_t i = 0; i < count; ++i) {
    datasets::ClassifiedGloss gloss{.label = static_cast<int>(i % 3), .noun = "noun", .words = {}, .part = datasets::Part::training};
    for (std::size_t w = 0; w < 3 + i % 5; ++w) {
      gloss.words.emplace_back("the");
      gloss.words.emplace_back(of_class[i % 3][random.bits() % 4]);
    }
    glosses.glosses.push_back(gloss);
    gloss.part = datasets::Part::validation;
    glosses.glosses.push_back(gloss);
  }
  return glosses;
}

}  // namespace attention::tests
