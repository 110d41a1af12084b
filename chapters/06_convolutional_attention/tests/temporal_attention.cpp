// Key frames: what temporal attention must find where the answer is known.
#include "temporal_attention.hpp"

#include <cmath>

#include "catch.hpp"
#include "numerics/random.hpp"

namespace {

using namespace attention;
using namespace attention::convolutional;

/// Frames of a few values each: scene 0 four times, scene 1 once, scene 2 three times.
tensor::Tensor<2> three_scenes() {
  tensor::Tensor<2> f = tensor::empty<2>({8, 2});
  const float rows[8][2] = {{0, 0}, {0, 0.1F}, {0.1F, 0}, {0, 0}, {5, 0}, {0, 5}, {0.1F, 5}, {0, 5}};
  for (std::size_t t = 0; t < 8; ++t)
    for (std::size_t k = 0; k < 2; ++k) f(t, k) = rows[t][k];
  return f;
}

tensor::Tensor<3> pictures(std::size_t scenes) {
  tensor::Tensor<3> all = tensor::empty<3>({scenes, 12, 12});
  numerics::Random random(5);
  for (float& x : all) x = static_cast<float>(random.uniform());
  return all;
}

}  // namespace

TEST_CASE("the attention of frames on frames is a share, largest on themselves, and symmetric before the softmax", "[convolutional][key_frames]") {
  const tensor::Tensor<2> w = frame_attention(three_scenes());
  for (std::size_t t = 0; t < 8; ++t) {
    double sum = 0;
    for (std::size_t s = 0; s < 8; ++s) {
      sum += static_cast<double>(w(t, s));
      CHECK(w(t, s) <= w(t, t));
    }
    CHECK(sum == Catch::Detail::Approx(1).epsilon(1e-6));
  }
  CHECK(w(0, 3) == w(0, 0));  // the same frame
  CHECK(static_cast<double>(w(0, 4)) < std::exp(-5));  // as far as half of all pairs: τ = 0.1 of that
  tensor::Tensor<2> still = tensor::empty<2>({4, 2});
  still.fill(1);
  const tensor::Tensor<2> equal = frame_attention(still);
  for (std::size_t i = 0; i < equal.size(); ++i) CHECK(equal.data()[i] == 0.25F);
}

TEST_CASE("three picks show three scenes, however long each is", "[convolutional][key_frames]") {
  const std::vector<Index> picked = pick_by_attention(frame_attention(three_scenes()), 3);
  REQUIRE(picked.size() == 3);
  CHECK(picked[0] < 4);
  CHECK(picked[1] == 4);
  CHECK(picked[2] > 4);
  CHECK(pick_by_attention(frame_attention(three_scenes()), 99).size() == 8);
  CHECK(pick_by_attention(frame_attention(three_scenes()), 0).empty());
}

TEST_CASE("a uniform pick takes the middles of equal parts", "[convolutional][key_frames]") {
  CHECK(pick_uniformly(24, 6) == std::vector<Index>{2, 6, 10, 14, 18, 22});
  CHECK(pick_uniformly(3, 5) == std::vector<Index>{0, 1, 2});
}

TEST_CASE("the change is where two parts look least at each other", "[convolutional][key_frames]") {
  tensor::Tensor<2> f = tensor::empty<2>({10, 1});
  for (std::size_t t = 0; t < 10; ++t) f(t, 0) = (t < 7 ? 0.F : 3.F) + 0.01F * static_cast<float>(t);
  CHECK(find_change(frame_attention(f)) == 7);
  CHECK(find_change(frame_attention(tensor::Tensor<2>(xt::view(f, xt::range(0, 3), xt::all())))) == 0);
}

TEST_CASE("a made clip has all its scenes in order, each at least once, and the same for the same seed", "[convolutional][key_frames]") {
  const SyntheticClip clip = synthetic_clip(pictures(5), 20, 3);
  CHECK(clip.scene.front() == 0);
  CHECK(clip.scene.back() == 4);
  for (std::size_t t = 1; t < clip.scene.size(); ++t) CHECK((clip.scene[t] == clip.scene[t - 1] || clip.scene[t] == clip.scene[t - 1] + 1));
  CHECK(scenes_shown(clip, {0, 19}) == 0.4);
  CHECK((synthetic_clip(pictures(5), 20, 3).frames == clip.frames));
  CHECK((synthetic_clip(pictures(5), 20, 4).frames != clip.frames));
  CHECK_THROWS_AS(synthetic_clip(pictures(5), 4, 1), std::invalid_argument);
}

TEST_CASE("nothing is lost where every frame is picked", "[convolutional][key_frames]") {
  std::vector<Index> all(8);
  for (std::size_t t = 0; t < 8; ++t) all[t] = static_cast<Index>(t);
  CHECK(loss_of_pick(three_scenes(), all) == 0);
  CHECK(loss_of_pick(three_scenes(), {4}) > 4);
}
