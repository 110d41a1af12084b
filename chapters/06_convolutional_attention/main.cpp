// Chapter 6: convolution, gates and attention over the places of a picture, and their ladders.
#include "attention_pooling.hpp"
#include "bam.hpp"
#include "cbam.hpp"
#include "convolution.hpp"
#include "coordinate.hpp"
#include "efficient_channel.hpp"
#include "experiments/gate_passes.hpp"
#include "experiments/gates.hpp"
#include "experiments/non_local_map.hpp"
#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"
#include "non_local.hpp"
#include "squeeze_excitation.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::FashionMnist data;
  ladder::ChapterProgram program;
  program.folder = "06_convolutional_attention";
  program.summary = "Chapter 6, convolutional attention: convolution, attention over the places of a picture, gates, pooling.";
  program.mechanisms = {convolutional::convolution_mechanism(),        convolutional::non_local_mechanism(),
                        convolutional::squeeze_excitation_mechanism(), convolutional::efficient_channel_mechanism(),
                        convolutional::cbam_mechanism(),               convolutional::bam_mechanism(),
                        convolutional::coordinate_mechanism(),         convolutional::attention_pooling_mechanism()};
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_fashion_mnist(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    convolutional::non_local_map(run, data);
    convolutional::channel_gates(run, data);
    convolutional::places(run, data);
    convolutional::gate_passes(run);
    for (const ladder::MechanismPtr& mechanism : program.mechanisms) {
      run.climber.standard_shapes(*mechanism);
      run.climber.sweeps(*mechanism);
    }
  };
  return ladder::chapter_main(argc, argv, program);
}
