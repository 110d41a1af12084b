// Chapter 3: multi-head attention, and the ladder from its formula to the machine.
#include "experiments/experiments.hpp"
#include "multi_head.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::FashionMnist data;
  ladder::ChapterProgram program;
  program.folder = "03_multi_head_attention";
  program.summary = "Chapter 3, multi-head attention: several look-ups side by side, and the ladder is climbed.";
  program.mechanisms = multi_head::mechanisms();
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_fashion_mnist(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    multi_head::what_heads_look_at(run, data);
    multi_head::cost_of_heads(run);
    for (const ladder::MechanismPtr& mechanism : program.mechanisms) {
      run.climber.standard_shapes(*mechanism);
      run.climber.sweeps(*mechanism);
    }
  };
  return ladder::chapter_main(argc, argv, program);
}
