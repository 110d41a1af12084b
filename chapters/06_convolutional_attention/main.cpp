// Chapter 6: convolution, gates and attention over the places of a picture, and their ladders.
#include <optional>

#include "attention_pooling.hpp"
#include "cbam.hpp"
#include "convolution.hpp"
#include "efficient_channel.hpp"
#include "experiments/gate_passes.hpp"
#include "experiments/gates.hpp"
#include "experiments/non_local_map.hpp"
#include "experiments/text_direction.hpp"
#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"
#include "non_local.hpp"
#include "squeeze_excitation.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::FashionMnist data;
  std::optional<convolutional::DirectionClassifier> classifier;
  ladder::ChapterProgram program;
  program.folder = "06_convolutional_attention";
  program.summary = "Chapter 6, convolutional attention: convolution, attention over the places of a picture, gates, pooling.";
  program.mechanisms = {convolutional::convolution_mechanism(),        convolutional::non_local_mechanism(),
                        convolutional::squeeze_excitation_mechanism(), convolutional::efficient_channel_mechanism(),
                        convolutional::cbam_mechanism(),               convolutional::attention_pooling_mechanism()};
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_fashion_mnist(folder);
    // The model is fetched only where that can be; a folder of it that is damaged is a fault.
    if (std::filesystem::exists(folder / "text_direction"))
      classifier.emplace(folder / "text_direction" / convolutional::DirectionClassifier::file_name);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    convolutional::non_local_map(run, data);
    convolutional::channel_gates(run, data);
    convolutional::places(run, data);
    convolutional::text_direction(run, classifier ? &*classifier : nullptr);
    convolutional::gate_passes(run);
    for (const ladder::MechanismPtr& mechanism : program.mechanisms) {
      run.climber.standard_shapes(*mechanism);
      run.climber.sweeps(*mechanism);
    }
  };
  return ladder::chapter_main(argc, argv, program);
}
