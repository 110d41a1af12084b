#include "gloss_training.hpp"

#include <algorithm>
#include <numeric>

#include "autograd/softmax.hpp"
#include "loaders/vocabulary.hpp"
#include "program/error.hpp"
#include "program/in_parallel.hpp"

namespace attention::multi_head {

namespace {

constexpr std::size_t batch_texts = 64;
constexpr std::size_t least_count = 4;  // of a word in the training part; rarer ones share one number

bool train_heads(Index heads, const training::Sitting& sitting) {
  const GlossCorpus corpus(datasets::choose_gloss_classes(datasets::load_glosses(sitting.data)));
  if (!corpus.real && !sitting.published.empty())
    throw program::UserError(sitting.data.string() + ": WordNet is not there; weights of stand-in data are not published");
  GlossClassifier<float> model(corpus.sizes, heads, sitting.seed);
  training::Recipe recipe;
  recipe.name = heads_name(heads);
  recipe.configuration = model.configuration();
  recipe.steps = 2000;
  recipe.parts = 2;
  recipe.peak_rate = 2e-3;
  recipe.adam.weight_decay = 0.01;
  recipe.evaluate_every = 200;
  training::Task task;
  task.parameters = model.parameters();
  task.loss = [&](Tape<float>& tape, std::int64_t step, int part) {
    const GlossCorpus::Part& from = corpus.training;
    numerics::Random random(sitting.seed * 1'000'003 + static_cast<std::uint64_t>(step * recipe.parts + part));
    Texts texts;
    std::vector<Index> labels;
    for (std::size_t i = 0; i < batch_texts / static_cast<std::size_t>(recipe.parts); ++i) {
      const std::size_t at = random.bits() % from.texts.size();
      texts.push_back(&from.texts[at]);
      labels.push_back(from.labels[at]);
    }
    return autograd::cross_entropy(model(tape, texts), labels, static_cast<double>(batch_texts), 0.1);
  };
  task.evaluated = "validation error";
  task.evaluate = [&] { return 1 - accuracy(model, corpus.validation); };
  return training::sit(task, recipe, sitting, [&] {
    return Json{{"data", corpus.real ? "real" : "stand_in"}, {"validation_accuracy", accuracy(model, corpus.validation)},
                {"test_accuracy", accuracy(model, corpus.test)}, {"test_glosses", corpus.test.texts.size()}};
  });
}

}  // namespace

std::string heads_name(Index heads) { return "heads_" + std::to_string(heads); }

GlossCorpus::GlossCorpus(const datasets::GlossClasses& glosses) : real(glosses.real) {
  datasets::Vocabulary::Counts counts;
  for (const datasets::ClassifiedGloss& gloss : glosses.glosses)
    if (gloss.part == datasets::Part::training) counts.add(gloss.words);
  const datasets::Vocabulary vocabulary(counts, least_count);
  for (const datasets::ClassifiedGloss& gloss : glosses.glosses) {
    Part& part = gloss.part == datasets::Part::training ? training : gloss.part == datasets::Part::validation ? validation : test;
    const std::vector<int> ids = vocabulary.ids(gloss.words);
    part.texts.emplace_back(ids.begin(), ids.end());
    part.labels.push_back(gloss.label);
  }
  sizes.words = static_cast<Index>(vocabulary.size());
  sizes.classes = static_cast<Index>(glosses.class_names.size());
}

std::vector<training::Training> heads_trainings() {
  std::vector<training::Training> all;
  for (const Index heads : compared_heads)
    all.push_back({heads_name(heads), "class of a noun from its gloss, heads: " + std::to_string(heads),
                   [heads](const training::Sitting& sitting) { return train_heads(heads, sitting); }});
  return all;
}

GlossClassifier<float> load_heads(Index heads, const GlossCorpus& corpus, const std::filesystem::path& file) {
  GlossClassifier<float> model(corpus.sizes, heads, 1);
  training::load_weights(file, model.parameters(), model.configuration());
  return model;
}

double accuracy(const GlossClassifier<float>& model, const GlossCorpus::Part& part) {
  std::vector<Index> right((part.texts.size() + batch_texts - 1) / batch_texts, 0);
  program::in_parallel(right.size(), [&](std::size_t batch) {
    const std::size_t first = batch * batch_texts, last = std::min(part.texts.size(), first + batch_texts);
    Texts texts;
    for (std::size_t i = first; i < last; ++i) texts.push_back(&part.texts[i]);
    Tape<float> tape(autograd::Mode::evaluation);
    const Variable<float> scores = model(tape, texts);
    for (std::size_t i = first; i < last; ++i) {
      const float* row = scores.data() + static_cast<Index>(i - first) * model.sizes.classes;
      right[batch] += std::max_element(row, row + model.sizes.classes) - row == part.labels[i];
    }
  });
  const Index all_right = std::accumulate(right.begin(), right.end(), Index{0});
  return part.texts.empty() ? 0 : static_cast<double>(all_right) / static_cast<double>(part.texts.size());
}

std::vector<Pruned> prune(GlossClassifier<float> model, const GlossCorpus::Part& choosing, const GlossCorpus::Part& test) {
  std::vector<Pruned> order;
  for (Index turn = 0; turn < model.heads; ++turn) {
    Pruned best{-1, -1, 0};
    for (Index head = 0; head < model.heads; ++head) {
      float& gate = model.gates[static_cast<std::size_t>(head)];
      if (gate == 0) continue;
      gate = 0;
      const double without = accuracy(model, choosing);
      if (without > best.choosing) best = {head, without, 0};
      gate = 1;
    }
    model.gates[static_cast<std::size_t>(best.head)] = 0;
    best.test = accuracy(model, test);
    order.push_back(best);
  }
  return order;
}

}  // namespace attention::multi_head
