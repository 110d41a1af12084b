// Training the networks: batches that hold every picture once, pictures moved as said, the same weights with any number of threads.
#include "picture_training.hpp"

#include <filesystem>
#include <numeric>
#include <set>

#include "catch.hpp"
#include "machine/affinity.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::convolutional;
using attention::tests::Scratch;

namespace {

const datasets::FashionMnist& small_data() {
  static const datasets::FashionMnist data = datasets::make_stand_in(1'500, 100);
  return data;
}

const NetworkSizes small_sizes{.module = ModuleKind::cbam, .widths = {8, 16}};

/// The weights after some steps.
std::vector<float> trained(const Pictures& pictures, std::int64_t steps, const std::filesystem::path& file) {
  const NetworkPlan plan{"small", "", small_sizes, 1};
  training::Recipe recipe = recipe_of(plan, pictures.training.images.shape(0), pictures.real);
  recipe.steps = recipe.evaluate_every = steps;
  ResidualNetwork<float> network(plan.sizes, 1);
  training::train(task_of(network, pictures, recipe), recipe, file);
  std::vector<float> all;
  for (const auto& [name, parameter] : network.parameters()) all.insert(all.end(), parameter->value.begin(), parameter->value.end());
  return all;
}

}  // namespace

TEST_CASE("training, validation and test pictures are parts of the data, none in two of them", "[convolutional][training]") {
  const Pictures pictures(small_data());
  CHECK(pictures.training.images.shape(0) == 1'350);
  CHECK(pictures.validation.images.shape(0) == 150);
  CHECK(pictures.test.images.shape(0) == 100);
  CHECK(pictures.training.images(0, 14, 14) == small_data().train.images(0, 14, 14));
  CHECK(pictures.validation.labels(0) == small_data().train.labels(1'350));
  CHECK_FALSE(pictures.real);
}

TEST_CASE("a moved picture is the picture, shifted and perhaps mirrored", "[convolutional][training]") {
  constexpr Index side = 6, most = 2;
  tensor::ArrayOf<float> batch = tensor::empty_array<float>({200, 6, 6, 1});
  for (std::size_t b = 0; b < 200; ++b) std::iota(batch.data() + b * 36, batch.data() + (b + 1) * 36, 1.F);
  numerics::Random random(3);
  move_at_random(batch, most, random);
  std::set<std::vector<float>> seen;
  for (std::size_t b = 0; b < 200; ++b) {
    const std::vector<float> picture(batch.data() + b * 36, batch.data() + (b + 1) * 36);
    seen.insert(picture);
    bool explained = false;
    for (Index down = -most; down <= most; ++down)
      for (Index right = -most; right <= most; ++right)
        for (const bool mirrored : {false, true}) {
          bool same = true;
          for (Index y = 0; y < side; ++y)
            for (Index x = 0; x < side; ++x) {
              const Index row = y - down, column = (mirrored ? side - 1 - x : x) - right;
              const bool inside = row >= 0 && row < side && column >= 0 && column < side;
              same = same && picture[static_cast<std::size_t>(y * side + x)] == (inside ? static_cast<float>(row * side + column + 1) : 0.F);
            }
          explained = explained || same;
        }
    CHECK(explained);
  }
  CHECK(seen.size() > 40);  // of 50 that there are
}

TEST_CASE("a network's training gives the same weights with 1, 2 and 4 threads, and moves them", "[convolutional][training]") {
  const Pictures pictures(small_data());
  const Scratch folder;
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 2, 4}) {
    machine::use_threads(threads);
    found.push_back(trained(pictures, 3, folder.path() / std::to_string(threads)));
  }
  machine::use_threads(2);
  CHECK(found[0] == found[1]);
  CHECK(found[0] == found[2]);
  ResidualNetwork<float> fresh(small_sizes, 1);
  std::vector<float> before;
  for (const auto& [name, parameter] : fresh.parameters()) before.insert(before.end(), parameter->value.begin(), parameter->value.end());
  CHECK(before != found[0]);
}

TEST_CASE("a small network learns the stand-in's shapes", "[convolutional][training]") {
  const Pictures pictures(small_data());
  const Scratch folder;
  const NetworkPlan plan{"small", "", {.widths = {16, 32}}, 20};
  training::Recipe recipe = recipe_of(plan, pictures.training.images.shape(0), pictures.real);
  recipe.evaluate_every = recipe.steps;
  ResidualNetwork<float> network(plan.sizes, 1);
  training::train(task_of(network, pictures, recipe), recipe, folder.path() / "checkpoint");
  // Ten classes: chance is a tenth.
  CHECK(accuracy(network, pictures.test) > 0.5);
}
