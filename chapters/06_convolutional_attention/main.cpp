// Chapter 6: convolution beside attention over the places of a picture, and their ladders.
#include "convolution.hpp"
#include "experiments/non_local_map.hpp"
#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"
#include "non_local.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::FashionMnist data;
  ladder::ChapterProgram program;
  program.folder = "06_convolutional_attention";
  program.summary = "Chapter 6, convolutional attention: convolution, and attention over the places of a picture.";
  program.mechanisms = {convolutional::convolution_mechanism(), convolutional::non_local_mechanism()};
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_fashion_mnist(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    convolutional::non_local_map(run, data);
    for (const ladder::MechanismPtr& mechanism : program.mechanisms) {
      run.climber.standard_shapes(*mechanism);
      run.climber.sweeps(*mechanism);
    }
  };
  return ladder::chapter_main(argc, argv, program);
}
