// Training the classifier: it can learn, the same whatever the number of threads, from batches that hold every text once.
#include <filesystem>
#include <set>

#include "helpers.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::tests;

namespace {

Settings small_settings() {
  Settings settings;
  settings.sizes = {.given = 16, .words = 20, .learnt = 4, .hidden = 8, .classes = 3, .input_dropout = 0, .state_dropout = 0, .pooled_dropout = 0};
  settings.word_dropout = 0;
  settings.batch = 10;
  settings.epochs = 20;
  settings.rate = 0.02;
  settings.smoothing = 0;
  settings.weight_decay = 0;
  return settings;
}

}  // namespace

TEST_CASE("a small classifier learns twenty texts by heart", "[recurrent_attention][training]") {
  const Corpus corpus(few_glosses(), WordVectors("there_is_no_such_folder"));
  const Scratch folder;
  for (const Pooling pooling : all_poolings) {
    INFO(name_of(pooling));
    const Settings settings = small_settings();
    TextClassifier<float> model(settings.sizes, pooling, 2);
    training::Recipe recipe = recipe_of(pooling, settings, corpus.training.size(), 2);
    recipe.evaluate_every = recipe.steps;
    training::train(task_of(model, corpus, settings, recipe), recipe, folder / (recipe.name + ".checkpoint"));
    CHECK(accuracy(model, corpus.training, corpus.lexicon) == 1);
  }
}

TEST_CASE("three steps give the same weights with 1, 2 and 4 threads", "[recurrent_attention][training]") {
  const Corpus corpus(few_glosses(), WordVectors("there_is_no_such_folder"));
  const Scratch folder;
  Settings settings = small_settings();
  settings.sizes.input_dropout = settings.sizes.state_dropout = settings.word_dropout = 0.3;
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 2, 4}) {
    machine::use_threads(threads);
    TextClassifier<float> model(settings.sizes, Pooling::attention, 2);
    training::Recipe recipe = recipe_of(Pooling::attention, settings, corpus.training.size(), 2);
    recipe.steps = recipe.evaluate_every = 3;
    training::train(task_of(model, corpus, settings, recipe), recipe, folder.path() / std::to_string(threads));
    found.emplace_back();
    for (const auto& [name, parameter] : model.parameters()) found.back().insert(found.back().end(), parameter->value.begin(), parameter->value.end());
  }
  machine::use_threads(2);
  CHECK(found[0] == found[1]);
  CHECK(found[0] == found[2]);
  // And they have moved: the same seed begins elsewhere.
  TextClassifier<float> fresh(settings.sizes, Pooling::attention, 2);
  CHECK_FALSE(std::equal(fresh.output.weights.value.begin(), fresh.output.weights.value.end(), found[0].end() - 3 - fresh.output.weights.value.size()));
}

TEST_CASE("an epoch's batches hold every text once, in an order of its own", "[recurrent_attention][training]") {
  const Corpus corpus(few_glosses(101), WordVectors("there_is_no_such_folder"));
  const auto batches = bucketed_batches(corpus.training, 8, 39, 4);  // three epochs of 13
  REQUIRE(batches.size() == 39);
  for (std::size_t epoch = 0; epoch < 3; ++epoch) {
    std::set<std::size_t> seen;
    for (std::size_t b = 0; b < 13; ++b)
      for (const std::size_t i : batches[epoch * 13 + b]) seen.insert(i);
    CHECK(seen.size() == 101);
  }
  CHECK(std::vector(batches.begin(), batches.begin() + 13) != std::vector(batches.begin() + 13, batches.begin() + 26));
  CHECK(batches == bucketed_batches(corpus.training, 8, 39, 4));
  CHECK(batches != bucketed_batches(corpus.training, 8, 39, 5));
  // A longer training begins as the shorter one.
  const auto longer = bucketed_batches(corpus.training, 8, 50, 4);
  CHECK(std::equal(batches.begin(), batches.end(), longer.begin()));
  // Of about one length: within a batch no more than two of the five lengths, where a bucket is sorted.
  for (const auto& batch : batches) {
    std::set<std::size_t> lengths;
    for (const std::size_t i : batch) lengths.insert(corpus.training[i].words.size());
    CHECK(lengths.size() <= 2);
  }
}
