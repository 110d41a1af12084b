// Chapter 3: multi-head attention, and the ladder from its formula to the machine.
#include <optional>

#include "experiments/experiments.hpp"
#include "gloss_training.hpp"
#include "multi_head.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::FashionMnist data;
  datasets::Glosses glosses;
  std::optional<multi_head::SentenceEncoder> encoder;
  ladder::ChapterProgram program;
  program.folder = "03_multi_head_attention";
  program.summary = "Chapter 3, multi-head attention: several look-ups side by side, and the ladder is climbed.";
  program.mechanisms = multi_head::mechanisms();
  program.trainings = multi_head::heads_trainings();
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_fashion_mnist(folder);
    // The model is fetched only where that can be; a folder of it that is damaged is a fault.
    if (std::filesystem::exists(folder / "sentence_encoder")) encoder.emplace(folder / "sentence_encoder");
    glosses = datasets::load_glosses(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    multi_head::what_heads_look_at(run, data);
    multi_head::cost_of_heads(run);
    multi_head::heads_of_an_encoder(run, encoder ? &*encoder : nullptr, glosses);
    multi_head::trained_heads(run, glosses);
    multi_head::encoder_speed(run, encoder ? &*encoder : nullptr);
    for (const ladder::MechanismPtr& mechanism : program.mechanisms) {
      run.climber.standard_shapes(*mechanism);
      run.climber.sweeps(*mechanism);
    }
  };
  return ladder::chapter_main(argc, argv, program);
}
