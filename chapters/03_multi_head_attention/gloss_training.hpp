#pragma once

#include "gloss_classifier.hpp"
#include "loaders/gloss_classes.hpp"
#include "training/sitting.hpp"

namespace attention::multi_head {

/// The numbers of heads that are compared.
inline constexpr Index compared_heads[] = {1, 2, 4, 8, 16};
/// heads_1, heads_2, …
std::string heads_name(Index heads);

/// Glosses as numbers, by the words that stand several times in the training part.
struct GlossCorpus {
  struct Part {
    std::vector<std::vector<Index>> texts;
    std::vector<Index> labels;
  };
  Part training, validation, test;
  GlossSizes sizes;
  bool real = false;

  explicit GlossCorpus(const datasets::GlossClasses& glosses);
};

/// The trainings for ./course train 03, all alike but for the heads.
std::vector<training::Training> heads_trainings();

/// The trained model, `file` as training::WeightFolders gives it. Throws UserError where it is damaged or of other glosses.
GlossClassifier<float> load_heads(Index heads, const GlossCorpus& corpus, const std::filesystem::path& file);

/// Share of the texts whose class gets the highest score.
double accuracy(const GlossClassifier<float>& model, const GlossCorpus::Part& part);

/// Heads taken out of a trained model one after the other, each time the one without which it is best on `choosing`.
struct Pruned {
  Index head;        ///< that went
  double choosing;   ///< accuracy without it and those before it, on the part that chose …
  double test;       ///< … and on the other
};
std::vector<Pruned> prune(GlossClassifier<float> model, const GlossCorpus::Part& choosing, const GlossCorpus::Part& test);

}  // namespace attention::multi_head
