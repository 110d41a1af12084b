// Chapter 4: self-attention over the words of a dictionary, its masks and positions, and the ladders of three masks.
#include <iostream>

#include "dot_product.hpp"
#include "experiments/experiments.hpp"
#include "ladder/publish.hpp"
#include "program/error.hpp"
#include "recall_training.hpp"
#include "self_attention.hpp"
#include "sentences.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::Glosses data;
  ladder::ChapterProgram program;
  program.folder = "04_self_attention";
  program.summary = "Chapter 4, self-attention: the words of a dictionary look at each other, and three ladders are climbed.";
  program.mechanisms = self_attention::mechanisms();
  // Long sequences are measured with chapter 2's rungs too.
  program.mechanisms.push_back(ladder::publish(dot_product::mechanism()));
  program.trainings = self_attention::recall_trainings();
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_glosses(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    const self_attention::Context context{run, data};
    self_attention::maps(context);
    self_attention::score_over_distance(context);
    self_attention::recall_over_distance(context);
    self_attention::trained_recall(context);
    self_attention::symmetries(context);
    self_attention::schedules(context);
    self_attention::decoding(context);
    self_attention::long_sequences(context);
    self_attention::climb_the_ladders(context);
  };
  std::vector<std::string> texts;
  program.options = {{"--text",
                      "look at this sentence with a trained encoder, and run nothing else; may be given several times, "
                      "- is standard input, one sentence a line",
                      &texts}};
  program.instead = [&](const std::filesystem::path& results, const std::filesystem::path& folder, const training::WeightFolders&) {
    if (texts.empty()) return false;
    const std::vector<std::string> sentences = self_attention::read_sentences(texts, std::cin);
    if (!std::filesystem::exists(folder / "sentence_encoder"))
      throw attention::program::UserError((folder / "sentence_encoder").string() + ": the sentence encoder is not there; ./course run 04 --text fetches it");
    const multi_head::SentenceEncoder encoder(folder / "sentence_encoder");
    self_attention::look_at_sentences(sentences, encoder, results, std::cout);
    return true;
  };
  return ladder::chapter_main(argc, argv, program);
}
