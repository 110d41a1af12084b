// Chapter 5: visualising attention. What others' attention looks like, and whether it explains their answers.
#include <iostream>
#include <optional>

#include "experiments/experiments.hpp"
#include "look_at_texts.hpp"
#include "program/error.hpp"
#include "sentences.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::Glosses glosses;
  std::optional<multi_head::SentenceEncoder> encoder;
  std::vector<std::string> texts;
  std::string evidence;
  ladder::ChapterProgram program;
  program.folder = "05_visualising_attention";
  program.summary =
      "Chapter 5, visualising attention: the attention of every other chapter drawn, and whether it explains "
      "the answers.";
  const auto load_encoder = [&](const std::filesystem::path& data) {
    if (std::filesystem::exists(data / "sentence_encoder")) encoder.emplace(data / "sentence_encoder");
    return encoder.has_value();
  };
  program.load = [&](const std::filesystem::path& data) {
    load_encoder(data);
    glosses = datasets::load_glosses(data);
    return glosses.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    // The results of all chapters lie beside ours; those of a quick run one folder deeper.
    const std::filesystem::path own = run.results.folder();
    const visualising::Context context{run, (run.quick ? own.parent_path() : own).parent_path(), glosses,
                                       encoder ? &*encoder : nullptr};
    visualising::one_sentence(context);
    visualising::records_of_others(context);
    visualising::explains_a_classifier(context);
    visualising::explains_an_encoder(context);
  };
  program.options = {
      {"--text",
       "look at this text with a trained encoder, and run nothing else; may be given several times, "
       "- is standard input, one text a line",
       &texts},
      {"--evidence", "with --text: an evidence record of the same texts by a classifier (.evidence.json)", &evidence}};
  program.instead = [&](const std::filesystem::path& results, const std::filesystem::path& data,
                        const training::WeightFolders&) {
    if (texts.empty()) return false;
    const std::vector<std::string> sentences = self_attention::read_sentences(texts, std::cin);
    if (!load_encoder(data))
      throw attention::program::UserError(
          (data / "sentence_encoder").string() +
          ": the sentence encoder is not there; ./course run 05 --text fetches it");
    visualising::look_at_own_texts(sentences, *encoder, results, evidence, std::cout);
    return true;
  };
  return ladder::chapter_main(argc, argv, program);
}
