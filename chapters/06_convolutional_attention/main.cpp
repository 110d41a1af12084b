// Chapter 6: convolution, gates and attention over the places of a picture, and their ladders.
#include <iostream>
#include <optional>


#include "attention_pooling.hpp"
#include "attention_pooling_backward.hpp"
#include "bam.hpp"
#include "bam_backward.hpp"
#include "cbam.hpp"
#include "cbam_backward.hpp"
#include "convolution.hpp"
#include "convolution_backward.hpp"
#include "coordinate.hpp"
#include "coordinate_backward.hpp"
#include "depthwise.hpp"
#include "efficient_channel.hpp"
#include "efficient_channel_backward.hpp"
#include "experiments/gate_passes.hpp"
#include "experiments/gates.hpp"
#include "experiments/key_frames.hpp"
#include "experiments/layouts.hpp"
#include "experiments/networks.hpp"
#include "experiments/non_local_map.hpp"
#include "experiments/text_direction.hpp"
#include "ladder/chapter_program.hpp"
#include "loaders/fashion_mnist.hpp"
#include "look_at_picture.hpp"
#include "non_local.hpp"
#include "non_local_backward.hpp"
#include "picture_training.hpp"
#include "squeeze_excitation.hpp"
#include "squeeze_excitation_backward.hpp"
#include "time_training.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::FashionMnist data;
  std::filesystem::path data_folder;
  std::optional<convolutional::DirectionClassifier> classifier;
  ladder::ChapterProgram program;
  program.folder = "06_convolutional_attention";
  program.summary = "Chapter 6, convolutional attention: convolution, attention over the places of a picture, gates, pooling.";
  program.mechanisms = {convolutional::convolution_mechanism(),
                        convolutional::depthwise_mechanism(),
                        convolutional::non_local_mechanism(),
                        convolutional::squeeze_excitation_mechanism(),
                        convolutional::efficient_channel_mechanism(),
                        convolutional::cbam_mechanism(),
                        convolutional::bam_mechanism(),
                        convolutional::coordinate_mechanism(),
                        convolutional::attention_pooling_mechanism(),
                        convolutional::convolution_backward_mechanism(),
                        convolutional::non_local_backward_mechanism(),
                        convolutional::squeeze_excitation_backward_mechanism(),
                        convolutional::efficient_channel_backward_mechanism(),
                        convolutional::cbam_backward_mechanism(),
                        convolutional::bam_backward_mechanism(),
                        convolutional::coordinate_backward_mechanism(),
                        convolutional::attention_pooling_backward_mechanism()};
  program.trainings = convolutional::trainings();
  program.load = [&](const std::filesystem::path& folder) {
    data_folder = folder;
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
    convolutional::layouts(run);
    const convolutional::Pictures pictures(data);
    const auto networks = convolutional::find_networks(pictures, run.trained);
    convolutional::network_accuracies(run, pictures, networks);
    convolutional::looked_at(run, data, networks);
    convolutional::key_frames(run, data, data_folder, networks);
    for (const ladder::MechanismPtr& mechanism : program.mechanisms) {
      run.climber.standard_shapes(*mechanism);
      run.climber.sweeps(*mechanism);
    }
    for (const ladder::Figure& figure : std::vector(run.figures))
      if (figure.name == "convolution_channels_last_roof_share")
        run.figure("conv3x3_roof_share", figure.value, figure.unit, "share of the FMA peak that the 3 × 3 convolution reaches, 64 to 64 channels, 56 × 56 pixels, one thread");
  };
  std::vector<std::string> images;
  std::int64_t timed_steps = 0;
  program.options = {
      {"--image",
       "tell what this picture shows (PNG, JPEG or PGM) and where the networks look, and run nothing else; may be given several times",
       &images},
      {"--time-training", "train the plain network for so many steps, say how long one took, and run nothing else", &timed_steps}};
  program.instead = [&](const std::filesystem::path& results, const std::filesystem::path& where, const training::WeightFolders& trained) {
    if (timed_steps != 0) {
      convolutional::time_training(timed_steps, where, std::cout);
      return true;
    }
    if (images.empty()) return false;
    convolutional::look_at_pictures(images, results, trained, std::cout);
    return true;
  };
  return ladder::chapter_main(argc, argv, program);
}
