#include "training_task.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "autograd/softmax.hpp"
#include "numerics/shuffle.hpp"
#include "program/in_parallel.hpp"

namespace attention::recurrent_attention {

namespace {

/// Buckets of so many batches are sorted by length.
constexpr std::size_t bucket_batches = 32;

}  // namespace

std::vector<std::vector<std::size_t>> bucketed_batches(std::span<const Example> examples, std::size_t batch_size, std::int64_t steps, std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> all;
  for (std::uint64_t epoch = 0; std::ssize(all) < steps && !examples.empty(); ++epoch) {
    numerics::Random random(numerics::Random(seed * 1'000'003 + epoch).bits());
    std::vector<std::size_t> order(examples.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    numerics::shuffle(std::span(order), random);
    std::vector<std::vector<std::size_t>> batches;
    for (std::size_t first = 0; first < order.size(); first += bucket_batches * batch_size) {
      const auto begin = order.begin() + static_cast<Index>(first);
      const auto end = order.begin() + static_cast<Index>(std::min(order.size(), first + bucket_batches * batch_size));
      std::stable_sort(begin, end, [&](std::size_t a, std::size_t b) { return examples[a].words.size() > examples[b].words.size(); });
      for (auto at = begin; at < end; at += std::min<Index>(end - at, static_cast<Index>(batch_size)))
        batches.emplace_back(at, at + std::min<Index>(end - at, static_cast<Index>(batch_size)));
    }
    numerics::shuffle(std::span(batches), random);
    for (auto& batch : batches)
      if (std::ssize(all) < steps) all.push_back(std::move(batch));
  }
  return all;
}

tensor::Tensor<2> scores_of(const TextClassifier<float>& model, std::span<const Example> examples, const Lexicon& lexicon) {
  // By length, so that little is padded.
  std::vector<std::size_t> order(examples.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return examples[a].words.size() > examples[b].words.size(); });
  const auto classes = static_cast<std::size_t>(model.sizes.classes);
  tensor::Tensor<2> scores = tensor::empty<2>({examples.size(), classes});
  program::in_parallel((order.size() + evaluation_batch - 1) / evaluation_batch, [&](std::size_t batch) {
    const std::size_t first = batch * evaluation_batch, last = std::min(order.size(), first + evaluation_batch);
    std::vector<const std::vector<Index>*> texts;
    for (std::size_t i = first; i < last; ++i) texts.push_back(&examples[order[i]].words);
    Tape<float> tape(autograd::Mode::evaluation);
    const Answer<float> answer = model(tape, batch_of(texts, lexicon, model.sizes));
    for (std::size_t i = first; i < last; ++i) std::copy_n(answer.scores.data() + (i - first) * classes, classes, scores.data() + order[i] * classes);
  });
  return scores;
}

Index class_of(const tensor::Tensor<2>& scores, std::size_t row) {
  const float* first = scores.data() + row * scores.shape(1);
  return std::max_element(first, first + scores.shape(1)) - first;
}

double accuracy(const TextClassifier<float>& model, std::span<const Example> examples, const Lexicon& lexicon) {
  const tensor::Tensor<2> scores = scores_of(model, examples, lexicon);
  std::size_t right = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) right += class_of(scores, i) == examples[i].label ? 1 : 0;
  return examples.empty() ? 0 : static_cast<double>(right) / static_cast<double>(examples.size());
}

std::string recipe_name(Pooling pooling) { return "wordnet_" + name_of(pooling); }

training::Recipe recipe_of(Pooling pooling, const Settings& settings, std::size_t examples, std::uint64_t seed) {
  training::Recipe recipe;
  recipe.name = recipe_name(pooling);
  const auto an_epoch = static_cast<std::int64_t>((examples + settings.batch - 1) / settings.batch);
  recipe.configuration = {{"pooling", name_of(pooling)}, {"sizes", settings.sizes.to_json()}, {"word_dropout", settings.word_dropout},
                          {"batch", settings.batch}, {"smoothing", settings.smoothing}, {"training_texts", examples}};
  recipe.seed = seed;
  recipe.steps = static_cast<std::int64_t>(std::lround(settings.epochs * static_cast<double>(an_epoch)));
  recipe.parts = settings.parts;
  recipe.peak_rate = settings.rate;
  recipe.warm_up = an_epoch / 2;
  recipe.clip = 1;
  recipe.adam.weight_decay = settings.weight_decay;
  recipe.evaluate_every = an_epoch;
  return recipe;
}

Corpus::Corpus(const datasets::GlossClasses& glosses, WordVectors given)
    : classes(glosses.class_names), real(glosses.real && given.real()), lexicon(glosses, std::make_shared<const WordVectors>(std::move(given))) {
  for (const datasets::ClassifiedGloss& gloss : glosses.glosses) {
    std::vector<Example>& part = gloss.part == datasets::Part::training ? training : gloss.part == datasets::Part::validation ? validation : test;
    part.push_back({lexicon.numbers(gloss.words), gloss.label, gloss.noun});
  }
}

training::Task task_of(TextClassifier<float>& model, const Corpus& corpus, const Settings& settings, const training::Recipe& recipe) {
  training::Task task;
  task.parameters = model.parameters();
  task.evaluated = "validation error";
  task.evaluate = [&model, &corpus] { return 1 - accuracy(model, corpus.validation, corpus.lexicon); };
  auto batches = std::make_shared<const std::vector<std::vector<std::size_t>>>(
      bucketed_batches(corpus.training, settings.batch, recipe.steps, recipe.seed));
  task.loss = [&model, &corpus, batches, settings, parts = recipe.parts](Tape<float>& tape, std::int64_t step, int part) {
    const std::vector<std::size_t>& batch = (*batches)[static_cast<std::size_t>(step)];
    const std::size_t first = batch.size() * static_cast<std::size_t>(part) / static_cast<std::size_t>(parts);
    const std::size_t last = batch.size() * (static_cast<std::size_t>(part) + 1) / static_cast<std::size_t>(parts);
    if (first == last) return tape.constant(tensor::filled_array<float>({}, 0));
    std::vector<std::vector<Index>> words;
    std::vector<const std::vector<Index>*> texts;
    std::vector<Index> labels;
    for (std::size_t i = first; i < last; ++i) {
      const Example& example = corpus.training[batch[i]];
      words.push_back(example.words);
      for (Index& word : words.back())
        if (tape.random().uniform() < settings.word_dropout) word = datasets::Vocabulary::unknown;
      labels.push_back(example.label);
    }
    for (const std::vector<Index>& text : words) texts.push_back(&text);
    const Answer<float> answer = model(tape, batch_of(texts, corpus.lexicon, model.sizes));
    return autograd::cross_entropy(answer.scores, labels, static_cast<double>(batch.size()), settings.smoothing);
  };
  return task;
}

}  // namespace attention::recurrent_attention
