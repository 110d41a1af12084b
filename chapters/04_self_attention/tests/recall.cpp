// The recall task and the models that learn it: what is asked, what can be seen, gradients, and that a little training helps.
#include <algorithm>
#include <set>

#include "check_gradients.hpp"
#include "recall_training.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace attention::self_attention;

TEST_CASE("recall: each name stands once, and the answer is the value that stood with it", "[recall]") {
  const RecallBatch batch = make_recall(500, 3);
  REQUIRE(batch.sequences() == 500);
  std::set<Index> distances;
  for (Index s = 0; s < 500; ++s) {
    const Index* names = batch.names.data() + s * (recall_pairs + 1);
    CHECK(std::set<Index>(names, names + recall_pairs).size() == static_cast<std::size_t>(recall_pairs));
    const Index at = recall_pairs - batch.distances[static_cast<std::size_t>(s)];
    REQUIRE((at >= 0 && at < recall_pairs));
    CHECK(names[recall_pairs] == names[at]);
    CHECK(batch.answers[static_cast<std::size_t>(s)] == batch.values[static_cast<std::size_t>(s * recall_pairs + at)]);
    distances.insert(batch.distances[static_cast<std::size_t>(s)]);
  }
  CHECK(distances.size() == static_cast<std::size_t>(recall_pairs));
  CHECK(make_recall(500, 3).names == batch.names);
  CHECK(make_recall(500, 4).names != batch.names);
}

TEST_CASE("recall: the gradients of every model are central differences", "[recall][autograd]") {
  const RecallBatch batch = make_recall(2, 5);
  for (const LookBack way : all_look_backs) {
    INFO(name_of(way));
    RecallModel<double> model(way, 7);
    const double worst = tests::worst_parameter_gradient(
        model.parameters(), [&](autograd::Tape<double>& tape) { return tests::one_number(model(tape, batch)); }, 7);
    CHECK(worst <= 1);
  }
}

TEST_CASE("recall: a model sees as far as is said of it, and no further", "[recall]") {
  const RecallBatch batch = make_recall(1, 9);
  for (const LookBack way : all_look_backs) {
    INFO(name_of(way));
    const RecallModel<double> model(way, 3);
    const auto scores = [&](const RecallBatch& of) {
      autograd::Tape<double> tape(autograd::Mode::evaluation);
      const auto found = model(tape, of);
      return std::vector<double>(found.data(), found.data() + found.size());
    };
    const std::vector<double> before = scores(batch);
    for (const Index distance : {Index{1}, reach_of(way), reach_of(way) + 1, recall_pairs}) {
      if (distance > recall_pairs) continue;
      RecallBatch other = batch;
      Index& value = other.values[static_cast<std::size_t>(recall_pairs - distance)];
      value = (value + 1) % recall_values;
      INFO(distance);
      CHECK((scores(other) != before) == (distance <= reach_of(way)));
    }
  }
}

TEST_CASE("recall: weights are written, read, and refused where they belong to another model", "[recall]") {
  const tests::Scratch scratch;
  RecallModel<float> model(LookBack::window, 1);
  training::Recipe recipe;
  recipe.configuration = model.configuration();
  const auto file = scratch.path() / "weights.safetensors";
  training::save_weights(file, model.parameters(), recipe, {});
  const RecallBatch test = recall_test(64);
  CHECK(answered(load_recall(LookBack::window, file), test) == answered(load_recall(LookBack::window, file), test));
  CHECK_THROWS(load_recall(LookBack::attention, file));
  const RecallScore found = score(model, test);
  // More than are answered at once: each sequence is answered as it is alone.
  const RecallBatch many = recall_test(600);
  const std::vector<bool> all = answered(model, many);
  REQUIRE(all.size() == 600);
  for (const Index s : {0, 511, 512, 599}) CHECK(answered(model, part_of(many, s, 1))[0] == all[static_cast<std::size_t>(s)]);
  Index asked = 0;
  for (const Index n : found.asked) asked += n;
  CHECK(asked == 64);
}
