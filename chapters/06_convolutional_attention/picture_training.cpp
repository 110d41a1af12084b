#include "picture_training.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "autograd/softmax.hpp"
#include "numerics/shuffle.hpp"
#include "program/in_parallel.hpp"

namespace attention::convolutional {

namespace {

using datasets::ImageSet;
using training::Recipe;
using training::Task;

constexpr std::size_t batch_size = 128;
constexpr Index most_moved = 1;
constexpr double label_smoothing = 0.05;

ImageSet range(const ImageSet& set, std::size_t first, std::size_t last) {
  using xt::range, xt::all;
  return {xt::view(set.images, range(first, last), all(), all()), xt::view(set.labels, range(first, last))};
}

/// Which pictures stand in which batch: all of them once an epoch, in an order of its own for each epoch that follows from the seed alone. What
/// does not fill a batch waits for the next epoch's order.
std::vector<std::size_t> order_of(std::size_t pictures, std::int64_t steps, std::uint64_t seed) {
  const std::size_t an_epoch = std::max<std::size_t>(1, pictures / batch_size) * std::min(batch_size, pictures);
  std::vector<std::size_t> all, epoch(pictures);
  for (std::uint64_t e = 0; all.size() < static_cast<std::size_t>(steps) * batch_size; ++e) {
    std::iota(epoch.begin(), epoch.end(), std::size_t{0});
    numerics::Random random(numerics::Random(seed * 1'000'003 + e).bits());
    numerics::shuffle(std::span(epoch), random);
    all.insert(all.end(), epoch.begin(), epoch.begin() + static_cast<Index>(an_epoch));
  }
  return all;
}

}  // namespace

Pictures::Pictures(const datasets::FashionMnist& data) : test(data.test), real(data.real) {
  const std::size_t all = data.train.images.shape(0), held_out = std::min<std::size_t>(5'000, all / 10);
  training = range(data.train, 0, all - held_out);
  validation = range(data.train, all - held_out, all);
}

template <class Real>
tensor::ArrayOf<Real> batch_of(const ImageSet& set, std::span<const std::size_t> numbers) {
  const std::size_t height = set.images.shape(1), width = set.images.shape(2);
  tensor::ArrayOf<Real> batch = tensor::empty_array<Real>({numbers.size(), height, width, 1});
  Real* to = batch.data();
  for (const std::size_t number : numbers) {
    const std::uint8_t* from = set.images.data() + number * height * width;
    to = std::transform(from, from + height * width, to, [](std::uint8_t grey) { return static_cast<Real>(grey) / 255; });
  }
  return batch;
}

void move_at_random(tensor::ArrayOf<float>& batch, Index most, numerics::Random& random) {
  const auto height = static_cast<Index>(batch.shape(1)), width = static_cast<Index>(batch.shape(2));
  std::vector<float> before(size(height * width));
  for (std::size_t b = 0; b < batch.shape(0); ++b) {
    float* picture = batch.data() + b * before.size();
    std::copy_n(picture, before.size(), before.data());
    const auto draw = [&] { return static_cast<Index>(random.bits() % static_cast<std::uint64_t>(2 * most + 1)) - most; };
    const Index down = draw(), right = draw();
    const bool mirrored = random.bits() % 2 == 1;
    for (Index y = 0; y < height; ++y)
      for (Index x = 0; x < width; ++x) {
        const Index row = y - down, column = (mirrored ? width - 1 - x : x) - right;
        const bool inside = row >= 0 && row < height && column >= 0 && column < width;
        picture[y * width + x] = inside ? before[size(row * width + column)] : 0.F;
      }
  }
}

std::vector<int> classes_said(const ResidualNetwork<float>& network, const ImageSet& set) {
  constexpr std::size_t together = 50;
  const std::size_t count = set.images.shape(0);
  const Index classes = network.sizes().classes;
  std::vector<int> said(count);
  program::in_parallel((count + together - 1) / together, [&](std::size_t group) {
    std::vector<std::size_t> numbers(std::min(together, count - group * together));
    std::iota(numbers.begin(), numbers.end(), group * together);
    Tape<float> tape(autograd::Mode::evaluation);
    const auto answer = network(tape.constant(batch_of<float>(set, numbers)));
    const float* row = answer.scores.data();
    for (const std::size_t number : numbers) {
      said[number] = static_cast<int>(std::max_element(row, row + classes) - row);
      row += classes;
    }
  });
  return said;
}

double accuracy(const ResidualNetwork<float>& network, const ImageSet& set) {
  const std::vector<int> said = classes_said(network, set);
  std::size_t right = 0;
  for (std::size_t i = 0; i < said.size(); ++i) right += said[i] == set.labels(i) ? 1U : 0U;
  return said.empty() ? 0 : static_cast<double>(right) / static_cast<double>(said.size());
}

const std::vector<NetworkPlan>& network_plans() {
  static const std::vector<NetworkPlan> plans = [] {
    std::vector<NetworkPlan> all;
    for (const ModuleKind kind : all_module_kinds)
      all.push_back({"fashion_" + name_of(kind), "pictures of clothes to their class, a residual network: " + name_of(kind), {.module = kind}});
    all.push_back({"fashion_attention_pooling", "the same with attention pooling before the classes", {.pooling = Pooling::attention}});
    return all;
  }();
  return plans;
}

Recipe recipe_of(const NetworkPlan& plan, std::size_t pictures, bool real) {
  Recipe recipe;
  recipe.name = plan.name;
  recipe.configuration = to_json(plan.sizes);
  recipe.configuration["batch"] = batch_size;
  recipe.configuration["pictures"] = pictures;
  recipe.configuration["moved"] = most_moved;
  recipe.configuration["smoothing"] = label_smoothing;
  recipe.configuration["data"] = real ? "real" : "stand_in";
  const auto an_epoch = static_cast<std::int64_t>(std::max<std::size_t>(1, pictures / batch_size));
  recipe.steps = static_cast<std::int64_t>(std::lround(plan.epochs * static_cast<double>(an_epoch)));
  recipe.peak_rate = 4e-3;
  recipe.warm_up = an_epoch / 2;
  recipe.adam.weight_decay = 0.02;
  recipe.evaluate_every = an_epoch;
  return recipe;
}

Task task_of(ResidualNetwork<float>& network, const Pictures& pictures, const Recipe& recipe) {
  Task task;
  task.parameters = network.parameters();
  task.evaluated = "validation error";
  task.evaluate = [&] { return 1 - accuracy(network, pictures.validation); };
  const auto order = std::make_shared<const std::vector<std::size_t>>(order_of(pictures.training.images.shape(0), recipe.steps, recipe.seed));
  task.loss = [&network, &pictures, order, parts = recipe.parts](Tape<float>& tape, std::int64_t step, int part) {
    const std::size_t first = static_cast<std::size_t>(step) * batch_size;
    const auto edge = [&](int p) { return first + batch_size * static_cast<std::size_t>(p) / static_cast<std::size_t>(parts); };
    const std::span numbers(order->data() + edge(part), order->data() + edge(part + 1));
    tensor::ArrayOf<float> batch = batch_of<float>(pictures.training, numbers);
    move_at_random(batch, most_moved, tape.random());
    std::vector<Index> labels;
    for (const std::size_t number : numbers) labels.push_back(pictures.training.labels(number));
    return autograd::cross_entropy(network(tape.constant(std::move(batch))).scores, labels, static_cast<double>(batch_size), label_smoothing);
  };
  return task;
}

std::optional<ResidualNetwork<float>> load_network(const NetworkPlan& plan, std::size_t pictures, bool real, const training::WeightFolders& folders) {
  // The published weights know clothes, not the shapes of the stand-in.
  const std::filesystem::path file = training::WeightFolders{folders.trainings, real ? folders.published : ""}.weights(plan.name);
  if (file.empty()) return std::nullopt;
  std::optional<ResidualNetwork<float>> network(std::in_place, plan.sizes, 1);
  training::load_weights(file, network->parameters(), recipe_of(plan, pictures, real).configuration);
  return network;
}

std::vector<training::Training> trainings() {
  std::vector<training::Training> all;
  for (const NetworkPlan& plan : network_plans())
    all.push_back({plan.name, plan.about, [&plan](const training::Sitting& sitting) {
                     const Pictures pictures(datasets::load_fashion_mnist(sitting.data));
                     Recipe recipe = recipe_of(plan, pictures.training.images.shape(0), pictures.real);
                     recipe.seed = sitting.seed;
                     ResidualNetwork<float> network(plan.sizes, sitting.seed);
                     const Task task = task_of(network, pictures, recipe);
                     return training::sit(task, recipe, sitting, [&] {
                       return Json{{"test_pictures", pictures.test.images.shape(0)}, {"test_accuracy", accuracy(network, pictures.test)},
                                   {"data", pictures.real ? "real" : "stand_in"}};
                     });
                   }});
  return all;
}

template tensor::ArrayOf<float> batch_of(const ImageSet&, std::span<const std::size_t>);
template tensor::ArrayOf<double> batch_of(const ImageSet&, std::span<const std::size_t>);

}  // namespace attention::convolutional
