#include "trained.hpp"

#include "program/error.hpp"

namespace attention::recurrent_attention {

namespace fs = std::filesystem;

namespace {

bool run_training(Pooling pooling, const training::Sitting& sitting) {
  const Corpus corpus = load_corpus(sitting.data);
  if (!corpus.real && !sitting.published.empty())
    throw program::UserError(sitting.data.string() + ": WordNet or the sentence encoder is not there; weights of stand-in data are not published");
  const Settings settings;
  TextClassifier<float> model(settings.sizes, pooling, sitting.seed);
  const training::Recipe recipe = recipe_of(pooling, settings, corpus.training.size(), sitting.seed);
  return training::sit(task_of(model, corpus, settings, recipe), recipe, sitting, [&] {
    return Json{{"data", corpus.real ? "real" : "stand_in"},
                {"validation_accuracy", accuracy(model, corpus.validation, corpus.lexicon)},
                {"test_accuracy", accuracy(model, corpus.test, corpus.lexicon)},
                {"test_glosses", corpus.test.size()}};
  });
}

}  // namespace

Corpus load_corpus(const fs::path& data) {
  return Corpus(datasets::choose_gloss_classes(datasets::load_glosses(data)), WordVectors(data));
}

std::vector<TrainedClassifier> find_classifiers(const Corpus& corpus, const training::WeightFolders& folders) {
  std::vector<TrainedClassifier> found;
  if (!corpus.real) return found;
  const Settings settings;
  for (const Pooling pooling : all_poolings) {
    const training::Recipe recipe = recipe_of(pooling, settings, corpus.training.size(), 1);
    const fs::path file = folders.weights(recipe.name);
    if (file.empty()) continue;
    found.push_back({TextClassifier<float>(settings.sizes, pooling, 1), file});
    training::load_weights(file, found.back().model.parameters(), recipe.configuration);
  }
  return found;
}

std::vector<training::Training> trainings() {
  std::vector<training::Training> all;
  for (const Pooling pooling : all_poolings)
    all.push_back({recipe_name(pooling), "class of a noun from its gloss, " + name_of(pooling),
                   [pooling](const training::Sitting& sitting) { return run_training(pooling, sitting); }});
  return all;
}

}  // namespace attention::recurrent_attention
