#include "trainings.hpp"

#include <stdexcept>

namespace attention::sequence_to_sequence {

namespace {

using datasets::Part;
using training::Recipe;
using training::Sitting;
using training::Task;

Plan small(Kind kind, const std::string& name) {
  return {.name = name,
          .about = "letters to phonemes, small, attention: " + name_of(kind),
          .sizes = {.embedding = 32, .encoder = 64, .decoder = 128, .units = 64, .window = 2, .dropout = 0.1, .kind = kind},
          .steps = 3000,
          .batch = 256,
          .rate = 3e-3,
          .evaluate_every = 500};
}

Plan verses(Kind kind, const std::string& name) {
  return {.name = name,
          .about = "Spanish verses to English, attention: " + name_of(kind),
          .sizes = {.embedding = 80, .encoder = 96, .decoder = 192, .units = 96, .dropout = 0.2, .tied = true, .kind = kind},
          .steps = 4000,
          .batch = 64,
          .rate = 3e-3,
          .evaluate_every = 400};
}

/// The plan's sizes with the data's numbers of symbols, and all else that decides what is learnt.
Json configuration_of(const Plan& plan, const Sizes& sizes, std::size_t pairs, bool real) {
  Json all = to_json(sizes);
  all["batch"] = plan.batch;
  all["pairs"] = pairs;
  all["data"] = real ? "real" : "stand_in";
  return all;
}

Recipe recipe_of(const Plan& plan, const Json& configuration) {
  Recipe recipe;
  recipe.name = plan.name;
  recipe.configuration = configuration;
  recipe.steps = plan.steps;
  recipe.peak_rate = plan.rate;
  recipe.warm_up = 200;
  recipe.evaluate_every = plan.evaluate_every;
  return recipe;
}

Sizes spelling_sizes(const Plan& plan) {
  Sizes sizes = plan.sizes;
  sizes.source_symbols = letter_symbols;
  sizes.target_symbols = phoneme_symbols;
  return sizes;
}

Sizes translation_sizes(const Plan& plan, const Translation& translation) {
  Sizes sizes = plan.sizes;
  sizes.source_symbols = static_cast<Index>(translation.source.size());
  sizes.target_symbols = static_cast<Index>(translation.target.size());
  return sizes;
}

/// What both trainings have in common: each step's batch, its loss a mean over the targets.
Task task_of(EncoderDecoder<float>& model, const Batches& batches) {
  Task task;
  task.parameters = model.parameters();
  task.loss = [&](Tape<float>& tape, std::int64_t step, int part) {
    return model.loss(tape, batches.part(step, part), static_cast<double>(batches.targets(step)));
  };
  return task;
}

bool train_spelling(const Plan& plan, const Sitting& sitting) {
  const datasets::Pronunciations data = datasets::load_pronunciations(sitting.data);
  const std::vector<Pair> pairs = pronunciation_pairs(data.of(Part::training));
  const auto validation = data.of(Part::validation), test = data.of(Part::test);
  const Recipe recipe = recipe_of(plan, configuration_of(plan, spelling_sizes(plan), pairs.size(), data.real));
  EncoderDecoder<float> model(spelling_sizes(plan), sitting.seed);
  const Batches batches(pairs, plan.batch, recipe.parts, sitting.seed);
  Task task = task_of(model, batches);
  task.evaluated = "word error rate";
  task.evaluate = [&] { return errors_of(pronounce(model, validation), validation).answer_error_rate(); };
  return training::sit(task, recipe, sitting, [&] {
    const text::SequenceErrors errors = errors_of(pronounce(model, test), test);
    return Json{{"test_words", errors.answers}, {"word_error_rate", errors.answer_error_rate()}, {"phoneme_error_rate", errors.symbol_error_rate()}, {"search", "greedy"}};
  });
}

bool train_translation(const Plan& plan, const Sitting& sitting) {
  const datasets::VersePairs data = datasets::load_verses(sitting.data, read_verses);
  const Translation translation = prepare_translation(data, least_count);
  const auto validation = verses_of(data, Part::validation), test = verses_of(data, Part::test);
  const Sizes sizes = translation_sizes(plan, translation);
  const Recipe recipe = recipe_of(plan, configuration_of(plan, sizes, translation.training.size(), data.real));
  EncoderDecoder<float> model(sizes, sitting.seed);
  const Batches batches(translation.training, plan.batch, recipe.parts, sitting.seed);
  Task task = task_of(model, batches);
  const auto quality = [&](const std::vector<const datasets::VersePair*>& verses) {
    std::vector<std::vector<std::string>> said;
    for (const Answer& answer : translate(model, translation, verses)) said.push_back(words_of(answer, translation.target));
    return quality_of(said, verses);
  };
  // chrF moves from the first steps on, where BLEU is still 0.
  task.evaluated = "100 - chrF";
  task.evaluate = [&] { return 100 - quality(validation).chrf; };
  return training::sit(task, recipe, sitting, [&] {
    const Quality q = quality(test);
    return Json{{"test_verses", test.size()}, {"bleu", q.bleu}, {"chrf", q.chrf}, {"search", "greedy"}};
  });
}

std::optional<Trained> load(const Plan& plan, const Sizes& sizes, std::size_t pairs, bool real, const training::WeightFolders& folders) {
  // The published weights know real words, not those of the stand-in.
  const std::filesystem::path file = training::WeightFolders{folders.trainings, real ? folders.published : ""}.weights(plan.name);
  if (file.empty()) return std::nullopt;
  std::optional<Trained> trained({EncoderDecoder<float>(sizes, 1), {}});
  trained->record = training::load_weights(file, trained->model.parameters(), configuration_of(plan, sizes, pairs, real)).at("training");
  return trained;
}

}  // namespace

const std::vector<Plan>& spelling_plans() {
  static const std::vector<Plan> plans = [] {
    std::vector<Plan> all{{.name = "g2p_additive",
                           .about = "letters to phonemes with additive attention, the large one",
                           .sizes = {.embedding = 64, .encoder = 128, .decoder = 256, .units = 128, .dropout = 0.15, .kind = Kind::additive},
                           .steps = 5000,
                           .batch = 256,
                           .rate = 2.5e-3,
                           .evaluate_every = 500}};
    for (const Kind kind : all_kinds) all.push_back(small(kind, kind == Kind::additive ? "g2p_additive_small" : "g2p_" + name_of(kind)));
    return all;
  }();
  return plans;
}

const std::vector<Plan>& translation_plans() {
  static const std::vector<Plan> plans{verses(Kind::additive, "translation_additive"), verses(Kind::none, "translation_none")};
  return plans;
}

const Plan& plan_of(const std::string& name) {
  for (const auto* plans : {&spelling_plans(), &translation_plans()})
    for (const Plan& plan : *plans)
      if (plan.name == name) return plan;
  throw std::out_of_range("no plan " + name);
}

std::optional<Trained> load_spelling(const Plan& plan, const datasets::Pronunciations& data, const training::WeightFolders& folders) {
  return load(plan, spelling_sizes(plan), pronunciation_pairs(data.of(Part::training)).size(), data.real, folders);
}

std::optional<Trained> load_translation(const Plan& plan, const Translation& translation, bool real, const training::WeightFolders& folders) {
  return load(plan, translation_sizes(plan, translation), translation.training.size(), real, folders);
}

std::vector<training::Training> trainings() {
  std::vector<training::Training> all;
  for (const Plan& plan : spelling_plans()) all.push_back({plan.name, plan.about, [&plan](const Sitting& sitting) { return train_spelling(plan, sitting); }});
  for (const Plan& plan : translation_plans()) all.push_back({plan.name, plan.about, [&plan](const Sitting& sitting) { return train_translation(plan, sitting); }});
  return all;
}

}  // namespace attention::sequence_to_sequence
