#pragma once

#include <optional>
#include <span>
#include <vector>

#include "loaders/fashion_mnist.hpp"
#include "residual_network.hpp"
#include "training/sitting.hpp"

namespace attention::convolutional {

/// The data as training takes it: the last 5,000 pictures of the training set (a tenth of a smaller one) choose among the weights of a
/// training; the test set is looked at once, at the end.
struct Pictures {
  explicit Pictures(const datasets::FashionMnist& data);

  datasets::ImageSet training, validation, test;
  bool real;
};

/// Pictures by their numbers as a network takes them, [count, 28, 28, 1], 0 to 1.
template <class Real>
tensor::ArrayOf<Real> batch_of(const datasets::ImageSet& set, std::span<const std::size_t> numbers);

/// Each picture of a batch [count, height, width, 1] moved by at most `most` pixels each way, and mirrored or not, as chance will; what comes
/// in from outside is 0.
void move_at_random(tensor::ArrayOf<float>& batch, Index most, numerics::Random& random);

/// The class with the highest score of each picture, the first of equals; with all threads.
std::vector<int> classes_said(const ResidualNetwork<float>& network, const datasets::ImageSet& set);
/// Share of the pictures whose highest score is that of their class, 0 to 1.
double accuracy(const ResidualNetwork<float>& network, const datasets::ImageSet& set);

/// A network that the chapter trains.
struct NetworkPlan {
  std::string name;   ///< "fashion_se"
  std::string about;  ///< in one line
  NetworkSizes sizes;
  double epochs = 10;
};
const std::vector<NetworkPlan>& network_plans();

/// How all of them are trained: Adam with decoupled weight decay, a cosine, pictures moved and mirrored.
training::Recipe recipe_of(const NetworkPlan& plan, std::size_t pictures, bool real);
training::Task task_of(ResidualNetwork<float>& network, const Pictures& pictures, const training::Recipe& recipe);

/// Pictures in the real data's training part.
inline constexpr std::size_t real_training_pictures = 55'000;

/// The network of a plan, trained on so many pictures of the real data or of the stand-in, with its weights; none where they are not there. Throws UserError where the file is damaged or of another recipe.
std::optional<ResidualNetwork<float>> load_network(const NetworkPlan& plan, std::size_t pictures, bool real, const training::WeightFolders& folders);

/// The trainings, for the program's command line. A figure of each record is test_accuracy.
std::vector<training::Training> trainings();

}  // namespace attention::convolutional
