// Chapter 1, basic attention: gaps in a weekly series filled by attention pooling, and the ladder of additive attention.
#include "additive.hpp"
#include "experiments/experiments.hpp"
#include "learned_pooling.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::WeeklySeries data;
  ladder::ChapterProgram program;
  program.folder = "01_basic_attention";
  program.summary = "Chapter 1, basic attention: gaps in a weekly series are filled in, and the ladder is climbed.";
  program.mechanisms = additive::mechanisms();
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_co2(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    const additive::Context context{run, data};
    additive::fill_the_gaps(context);
    additive::cost_over_length(context);
    additive::climb_the_ladder(context);
  };
  program.trainings = {additive::pooling_training()};
  return ladder::chapter_main(argc, argv, program);
}
