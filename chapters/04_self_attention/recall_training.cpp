#include "recall_training.hpp"

#include <numeric>

#include "autograd/softmax.hpp"

namespace attention::self_attention {

namespace {

constexpr Index batch_sequences = 128;
constexpr Index chosen_sequences = 2048;
// Far from every seed that a training draws its batches from.
constexpr std::uint64_t chosen_seed = 0x1000'0000'0000, test_seed = 0x2000'0000'0000;

bool train_recall(LookBack way, const training::Sitting& sitting) {
  RecallModel<float> model(way, sitting.seed);
  training::Recipe recipe;
  recipe.name = recall_name(way);
  recipe.configuration = model.configuration();
  recipe.steps = 3000;
  recipe.parts = 2;
  recipe.peak_rate = 3e-3;
  recipe.evaluate_every = 250;
  const RecallBatch chosen = make_recall(chosen_sequences, chosen_seed);
  training::Task task;
  task.parameters = model.parameters();
  task.loss = [&](autograd::Tape<float>& tape, std::int64_t step, int part) {
    const auto of_step = static_cast<std::uint64_t>(step * recipe.parts + part);
    const RecallBatch batch = make_recall(batch_sequences / recipe.parts, sitting.seed * 1'000'003 + of_step);
    return autograd::cross_entropy(model(tape, batch), batch.answers, static_cast<double>(batch_sequences));
  };
  task.evaluated = "share of wrong answers";
  task.evaluate = [&] { return 1 - score(model, chosen).share(1, recall_pairs); };
  return training::sit(task, recipe, sitting, [&] { return Json{{"test_accuracy", score(model, recall_test(8192)).share(1, recall_pairs)}}; });
}

}  // namespace

std::string recall_name(LookBack way) { return "recall_" + name_of(way); }

std::vector<training::Training> recall_trainings() {
  std::vector<training::Training> all;
  for (const LookBack way : all_look_backs)
    all.push_back({recall_name(way), "recall of one pair among " + std::to_string(recall_pairs) + ": " + name_of(way),
                   [way](const training::Sitting& sitting) { return train_recall(way, sitting); }});
  return all;
}

RecallModel<float> load_recall(LookBack way, const std::filesystem::path& file) {
  RecallModel<float> model(way, 1);
  training::load_weights(file, model.parameters(), model.configuration());
  return model;
}

RecallBatch recall_test(Index sequences) { return make_recall(sequences, test_seed); }

double RecallScore::share(Index first, Index last) const {
  const auto sum = [&](const std::vector<Index>& of) { return static_cast<double>(std::accumulate(of.begin() + first - 1, of.begin() + last, Index{0})); };
  return sum(asked) > 0 ? sum(right) / sum(asked) : 0;
}

RecallScore score(const RecallModel<float>& model, const RecallBatch& batch) {
  RecallScore found{std::vector<Index>(recall_pairs), std::vector<Index>(recall_pairs)};
  const std::vector<bool> right = answered(model, batch);
  for (std::size_t s = 0; s < right.size(); ++s) {
    const auto at = static_cast<std::size_t>(batch.distances[s] - 1);
    ++found.asked[at];
    found.right[at] += right[s] ? 1 : 0;
  }
  return found;
}

}  // namespace attention::self_attention
