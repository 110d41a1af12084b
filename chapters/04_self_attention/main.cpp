// Chapter 4: self-attention over the words of a dictionary, its masks and positions, and the ladders of three masks.
#include "dot_product.hpp"
#include "experiments/experiments.hpp"
#include "ladder/publish.hpp"
#include "self_attention.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::Glosses data;
  ladder::ChapterProgram program;
  program.folder = "04_self_attention";
  program.summary = "Chapter 4, self-attention: the words of a dictionary look at each other, and three ladders are climbed.";
  program.mechanisms = self_attention::mechanisms();
  // Long sequences are measured with chapter 2's rungs too.
  program.mechanisms.push_back(ladder::publish(dot_product::mechanism()));
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_glosses(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    const self_attention::Context context{run, data};
    self_attention::maps(context);
    self_attention::score_over_distance(context);
    self_attention::recall_over_distance(context);
    self_attention::symmetries(context);
    self_attention::schedules(context);
    self_attention::long_sequences(context);
    self_attention::climb_the_ladders(context);
  };
  return ladder::chapter_main(argc, argv, program);
}
