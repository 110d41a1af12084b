#include <CLI/CLI.hpp>
#include <iostream>
#include <fmt/format.h>
#include "training_task.hpp"
#include "numerics/naive_bayes.hpp"
#include "machine/affinity.hpp"
using namespace attention;
using namespace attention::recurrent_attention;
int main(int argc, char** argv) {
  CLI::App app("scratch");
  Settings s; std::string pooling = "attention"; std::uint64_t seed = 1; std::string checkpoint="/tmp/ch7_ck/x"; int threads=2; long steps=0;bool test=false;
  app.add_option("--given", s.sizes.given); app.add_option("--words", s.sizes.words); app.add_option("--learnt", s.sizes.learnt);
  app.add_option("--hidden", s.sizes.hidden); app.add_option("--in", s.sizes.input_dropout); app.add_option("--state", s.sizes.state_dropout);
  app.add_option("--pooled", s.sizes.pooled_dropout); app.add_option("--wd", s.word_dropout); app.add_option("--batch", s.batch);
  app.add_option("--epochs", s.epochs); app.add_option("--rate", s.rate); app.add_option("--smooth", s.smoothing); app.add_option("--decay", s.weight_decay);
  app.add_option("--pooling", pooling); app.add_option("--seed", seed); app.add_option("--ck", checkpoint); app.add_option("--threads", threads);app.add_option("--steps", steps);app.add_flag("--test",test);
  CLI11_PARSE(app, argc, argv);
  machine::use_threads(threads);
  const WordVectors given("datasets/data");
  const auto glosses=datasets::choose_gloss_classes(datasets::load_glosses("datasets/data"));
  Corpus c(glosses, given);
  fmt::print("{} {} {} lexicon {} real {}\n", c.training.size(), c.validation.size(), c.test.size(), c.lexicon.size(), given.real());
  fmt::print("naive bayes {:.4f} {:.4f}\n", datasets::naive_bayes_accuracy(glosses, datasets::Part::validation), datasets::naive_bayes_accuracy(glosses));
  Pooling p = Pooling::attention; for (Pooling q : all_poolings) if (name_of(q) == pooling) p = q;
  auto r = recipe_of(p, s, c.training.size(), seed);
  if (steps) r.steps=steps;
  TextClassifier<float> m(s.sizes, p, seed);
  std::filesystem::remove(checkpoint);
  auto t = training::train(task_of(m, c, s, r), r, checkpoint);
  fmt::print("RESULT {} seed {} best {:.4f} at {} of {} in {:.0f} s weights {}", pooling, seed, 1-t.best, t.best_step, r.steps, t.seconds, autograd::count(m.parameters()));
  if (test) fmt::print(" TEST {:.4f}", accuracy(m, c.test, c.lexicon));
  fmt::print("\n");
}
