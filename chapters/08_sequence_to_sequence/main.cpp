// Chapter 8: sequence to sequence. Letters become phonemes and Spanish becomes English, with attention and without.
#include <iostream>

#include "experiments/experiments.hpp"
#include "program/error.hpp"
#include "words.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  namespace s2s = sequence_to_sequence;
  namespace fs = std::filesystem;
  datasets::Pronunciations words;
  datasets::VersePairs verses;
  std::vector<std::string> asked;

  ladder::ChapterProgram program;
  program.folder = "08_sequence_to_sequence";
  program.summary = "Chapter 8, sequence to sequence: letters become phonemes, Spanish becomes English, and attention shows what was looked at.";
  program.trainings = s2s::trainings();
  program.load = [&](const fs::path& folder) {
    words = datasets::load_pronunciations(folder);
    verses = datasets::load_verses(folder, s2s::read_verses);
    return words.real && verses.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    const s2s::Context context{run, words, verses};
    s2s::spelling(context);
    s2s::beams(context);
    s2s::alignments(context);
    s2s::translation(context);
  };
  program.options = {{"--word",
                      "say how this word is spoken and which letters were looked at, and run nothing else; may be given several times",
                      &asked}};
  program.instead = [&](const fs::path& results_folder, const fs::path& folder, const training::WeightFolders& weights) {
    if (asked.empty()) return false;
    // A word that cannot be said is told first: it costs nothing.
    for (const std::string& word : asked) s2s::letters_of(word);
    words = datasets::load_pronunciations(folder);
    const s2s::Plan& plan = s2s::plan_of("g2p_additive");
    const auto trained = s2s::load_spelling(plan, words, weights);
    if (!trained) throw program::UserError("the model g2p_additive is not trained here; ./course train 08 g2p_additive makes it");
    s2s::look_at_words(asked, trained->model, words, results_folder, std::cout);
    return true;
  };
  return ladder::chapter_main(argc, argv, program);
}
