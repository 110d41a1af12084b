// Chapter 7: recurrent nets with attention. The class of a noun from its gloss, read by an LSTM: last state, mean of all states, attention.
#include <iostream>
#include <optional>

#include "experiments/experiments.hpp"
#include "ladder/chapter_program.hpp"
#include "look.hpp"
#include "trained.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  std::optional<datasets::GlossClasses> glosses;
  std::optional<recurrent_attention::Corpus> corpus;
  ladder::ChapterProgram program;
  program.folder = "07_recurrent_attention";
  program.summary = "Chapter 7, recurrent nets with attention: the class of a noun from its gloss, and which words tell it.";
  program.trainings = recurrent_attention::trainings();
  program.load = [&](const std::filesystem::path& data) {
    glosses = datasets::choose_gloss_classes(datasets::load_glosses(data));
    corpus.emplace(*glosses, recurrent_attention::WordVectors(data));
    return corpus->real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    const recurrent_attention::Context context{run, *glosses, *corpus, recurrent_attention::find_classifiers(*corpus, run.trained)};
    recurrent_attention::accuracies(context);
    recurrent_attention::by_length(context);
    recurrent_attention::looked_at(context);
    recurrent_attention::evidence(context);
    recurrent_attention::time_a_gloss(context);
  };
  std::vector<std::string> texts;
  program.options = {{"--text",
                      "tell the class of this text and show which words count, and run nothing else; may be given several "
                      "times, - is standard input, one text a line",
                      &texts}};
  program.instead = [&](const std::filesystem::path& results, const std::filesystem::path& data, const training::WeightFolders& trained) {
    if (texts.empty()) return false;
    const std::vector<std::string> lines = recurrent_attention::texts_from(texts, std::cin);
    recurrent_attention::Corpus own = recurrent_attention::load_corpus(data);
    const auto classifiers = recurrent_attention::find_classifiers(own, trained);
    recurrent_attention::look_at_texts(lines, own, classifiers, results, std::cout);
    return true;
  };
  return ladder::chapter_main(argc, argv, program);
}
