// The small model that is trained with 1 to 16 heads: gradients, padding, what a gate does, and that pruning takes out every head once.
#include "gloss_classifier.hpp"

#include <set>

#include "autograd/softmax.hpp"
#include "check_gradients.hpp"
#include "gloss_training.hpp"

using namespace attention;
using namespace attention::multi_head;

namespace {

GlossSizes small() { return {.words = 12, .width = 8, .inner = 6, .classes = 3, .dropout = 0}; }

const std::vector<std::vector<Index>>& some_texts() {
  static const std::vector<std::vector<Index>> texts{{4, 5, 6, 7, 8}, {9}, {10, 11, 4}};
  return texts;
}

Texts pointers(const std::vector<std::vector<Index>>& texts) {
  Texts all;
  for (const auto& text : texts) all.push_back(&text);
  return all;
}

template <class Real>
std::vector<double> scores(const GlossClassifier<Real>& model, const std::vector<std::vector<Index>>& texts) {
  Tape<Real> tape(autograd::Mode::evaluation);
  const auto found = model(tape, pointers(texts));
  return {found.data(), found.data() + found.size()};
}

}  // namespace

TEST_CASE("gloss classifier: its gradients are central differences, whatever the number of heads", "[heads][autograd]") {
  for (const Index heads : {1, 2, 8}) {
    INFO(heads);
    GlossClassifier<double> model(small(), heads, 3);
    // As large as they grow in training: of the small ones that it begins with, layer normalisation is too curved for a difference.
    for (double& x : model.embedding.table.value) x *= 10;
    const auto loss = [&](Tape<double>& tape) { return autograd::cross_entropy(model(tape, pointers(some_texts())), {0, 2, 1}, 3); };
    CHECK(tests::worst_parameter_gradient(model.parameters(), loss) <= 1);
  }
  CHECK_THROWS_AS(GlossClassifier<float>(small(), 3, 1), std::invalid_argument);
}

TEST_CASE("gloss classifier: what stands beside a text, and the order of its words, do not matter", "[heads]") {
  const GlossClassifier<double> model(small(), 4, 5);
  const std::vector<double> together = scores(model, some_texts());
  const std::vector<double> alone = scores(model, {some_texts()[1]});
  const std::vector<double> turned = scores(model, {{4, 11, 10}});
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(together[3 + c] == Catch::Detail::Approx(alone[c]).epsilon(1e-12));
    CHECK(together[6 + c] == Catch::Detail::Approx(turned[c]).epsilon(1e-12));
  }
}

TEST_CASE("gloss classifier: a head whose gate is 0 is a head whose rows of W_O are 0", "[heads]") {
  GlossClassifier<double> model(small(), 4, 7);
  GlossClassifier<double> gated = model;
  gated.gates[2] = 0;
  CHECK(scores(gated, some_texts()) != scores(model, some_texts()));
  // Head 2 of 4 writes to columns 4 and 5 of the heads side by side.
  auto& rows = model.output.weights.value;
  std::fill(rows.data() + 4 * 8, rows.data() + 6 * 8, 0.0);
  CHECK(scores(gated, some_texts()) == scores(model, some_texts()));
}

TEST_CASE("gloss classifier: pruning takes every head out once, and ends where no head is left", "[heads]") {
  const datasets::GlossClasses glosses = datasets::choose_gloss_classes(datasets::load_glosses("no such folder"), {.classes = 3});
  const GlossCorpus corpus(glosses);
  REQUIRE(!corpus.real);
  REQUIRE(!corpus.test.texts.empty());
  GlossClassifier<float> model(corpus.sizes, 4, 1);
  const std::vector<Pruned> order = prune(model, corpus.validation, corpus.test);
  std::set<Index> gone;
  for (const Pruned& p : order) gone.insert(p.head);
  CHECK(gone.size() == 4);
  model.gates.assign(4, 0);
  CHECK(order.back().test == accuracy(model, corpus.test));
}
