// Chapter 3: multi-head attention, and the ladder from its formula to the machine.
#include "ladder/chapter_program.hpp"
#include "multi_head.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  ladder::ChapterProgram program;
  program.folder = "03_multi_head_attention";
  program.summary = "Chapter 3, multi-head attention: several look-ups side by side, and the ladder is climbed.";
  program.mechanisms = multi_head::mechanisms();
  program.experiments = [&](const ladder::ChapterRun& run) {
    for (const ladder::MechanismPtr& mechanism : program.mechanisms) {
      run.climber.standard_shapes(*mechanism);
      run.climber.sweeps(*mechanism);
    }
  };
  return ladder::chapter_main(argc, argv, program);
}
