// Training: the optimiser against its formulas, and what a training must give whatever stops it and however many threads it has.
#include <omp.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "autograd/arranging.hpp"
#include "autograd/functions.hpp"
#include "autograd/recurrent.hpp"
#include "autograd/softmax.hpp"
#include "check_gradients.hpp"
#include "program/error.hpp"
#include "training/checkpoint.hpp"
#include "training/trainer.hpp"
#include "unit_files.hpp"

extern char** environ;

using namespace attention;
using namespace attention::autograd;
using namespace attention::training;
namespace fs = std::filesystem;

namespace {

/// Which of four numbers came first? A small recurrent net that has to remember.
struct Model {
  Embedding<float> words;
  Gru<float> gru;
  Linear<float> out;

  explicit Model(std::uint64_t seed) {
    numerics::Random random(seed);
    words = Embedding<float>(4, 6, 1, random);
    gru = Gru<float>(6, 10, random);
    out = Linear<float>(10, 4, random);
  }
  ParameterList<float> parameters() {
    ParameterList<float> list;
    words.collect("words", list);
    gru.collect("gru", list);
    out.collect("out", list);
    return list;
  }
  Variable<float> loss(Tape<float>& tape, std::uint64_t seed, double batch) const {
    numerics::Random random(seed);
    constexpr Index time = 5, rows = 6;
    std::vector<Index> sequence, first;
    for (Index i = 0; i < time * rows; ++i) sequence.push_back(static_cast<Index>(random.bits() % 4));
    first.assign(sequence.begin(), sequence.begin() + rows);
    const auto x = reshape(words(tape, sequence), {time, rows, 6});
    return cross_entropy(out(dropout(gru(x, {}).last, 0.1)), first, batch);
  }
};

Recipe recipe() {
  Recipe r;
  r.name = "first_of_five";
  r.configuration = {{"width", 6}, {"hidden", 10}};
  r.steps = 60;
  r.parts = 4;
  r.peak_rate = 0.01;
  r.warm_up = 10;
  r.evaluate_every = 20;
  r.adam.weight_decay = 0.01;
  return r;
}

/// `at_step` is called before each step.
Task task(Model& model, std::function<void(std::int64_t)> at_step = {}) {
  Task t;
  t.parameters = model.parameters();
  t.loss = [&model, at_step](Tape<float>& tape, std::int64_t step, int part) {
    if (at_step && part == 0) at_step(step);
    return model.loss(tape, static_cast<std::uint64_t>(step * 100 + part), 24);
  };
  t.evaluate = [&model] {
    Tape<float> tape(Mode::evaluation);
    return static_cast<double>(model.loss(tape, 1000000, 6).data()[0]);
  };
  t.evaluated = "validation loss";
  return t;
}

/// All weights one after the other, to the last bit.
std::vector<float> weights(Model& model) {
  std::vector<float> all;
  for (const auto& p : model.parameters()) all.insert(all.end(), p.parameter->value.begin(), p.parameter->value.end());
  return all;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) { return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0; }

/// What an undisturbed training gives.
std::vector<float> undisturbed() {
  const tests::Scratch folder;
  Model model(1);
  const Trained trained = train(task(model), recipe(), folder.path() / "checkpoint.safetensors");
  CHECK(trained.steps == 60);
  CHECK(trained.curve.size() == 3);
  CHECK(trained.curve[2].loss < trained.curve[0].loss);
  return weights(model);
}

const char* child_folder = "ATTENTION_TRAINING_CHILD";

}  // namespace

TEST_CASE("training: Adam's first steps are its formula's", "[training]") {
  Parameter<float> matrix{tensor::filled_array<float>({1, 2}, 1)}, bias{tensor::filled_array<float>({1}, 1)};
  AdamSettings settings;
  settings.weight_decay = 0.1;
  Adam adam({{"matrix", &matrix}, {"bias", &bias}}, settings);
  double w[3] = {1, 1, 1}, m[3] = {}, v[3] = {};
  for (int t = 1; t <= 5; ++t) {
    Gradients gradients{tensor::empty_array<float>({1, 2}), tensor::empty_array<float>({1})};
    const float g[3] = {0.5F * static_cast<float>(t), -2, 1e-4F};
    gradients[0].data()[0] = g[0];
    gradients[0].data()[1] = g[1];
    gradients[1].data()[0] = g[2];
    adam.step(gradients, 0.01);
    for (int i = 0; i < 3; ++i) {
      m[i] = 0.9 * m[i] + 0.1 * static_cast<double>(g[i]);
      v[i] = 0.999 * v[i] + 0.001 * static_cast<double>(g[i]) * static_cast<double>(g[i]);
      const double step = m[i] / (1 - std::pow(0.9, t)) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
      w[i] -= 0.01 * (step + (i < 2 ? 0.1 * w[i] : 0));
    }
    CHECK(std::abs(static_cast<double>(matrix.value.data()[0]) - w[0]) < 1e-6);
    CHECK(std::abs(static_cast<double>(matrix.value.data()[1]) - w[1]) < 1e-6);
    CHECK(std::abs(static_cast<double>(bias.value.data()[0]) - w[2]) < 1e-6);
  }
}

TEST_CASE("training: gradients are clipped together, and the rate rises and falls", "[training]") {
  Gradients gradients{tensor::filled_array<float>({3}, 2), tensor::filled_array<float>({1}, 2)};
  CHECK(clip_norm(gradients, 5) == 4);
  CHECK(gradients[0].data()[0] == 2);
  CHECK(clip_norm(gradients, 1) == 4);
  CHECK(gradients[1].data()[0] == 0.5F);
  CHECK(cosine_rate(0, 100, 1, 10) == 0.1);
  CHECK(cosine_rate(9, 100, 1, 10) == 1);
  CHECK(std::abs(cosine_rate(55, 100, 1, 10) - 0.5) < 1e-12);
  CHECK(cosine_rate(100, 100, 1, 10) < 1e-12);
}

TEST_CASE("training: the same weights with any number of threads", "[training]") {
  const int before = omp_get_max_threads();
  std::vector<std::vector<float>> found;
  for (const int threads : {1, 2, 3}) {
    omp_set_num_threads(threads);
    found.push_back(undisturbed());
  }
  omp_set_num_threads(before);
  CHECK(same(found[0], found[1]));
  CHECK(same(found[0], found[2]));
}

TEST_CASE("training: stopped by a signal it saves, goes on, and ends with the same weights", "[training]") {
  const std::vector<float> expected = undisturbed();
  const tests::Scratch folder;
  const fs::path file = folder.path() / "new" / "checkpoint.safetensors";
  for (const std::int64_t stop : {7, 20, 41}) {
    Model model(1);
    const Trained part = train(task(model, [stop](std::int64_t step) { if (step == stop) std::raise(SIGTERM); }), recipe(), file);
    CHECK(part.steps == stop + 1);
  }
  Model model(1);
  CHECK(train(task(model), recipe(), file).steps == 60);
  CHECK(same(weights(model), expected));
  // A finished training is only read.
  Model again(2);
  train(task(again, [](std::int64_t) { FAIL("no step is left"); }), recipe(), file);
  CHECK(same(weights(again), expected));
}

TEST_CASE("training child", "[.][training_child]") {
  const char* folder = std::getenv(child_folder);
  REQUIRE(folder);
  Model model(1);
  // Slow, so that it can be killed on its way; saved after every step.
  train(task(model, [](std::int64_t) { std::this_thread::sleep_for(std::chrono::milliseconds(35)); }), recipe(), fs::path(folder) / "checkpoint.safetensors", 0);
}

TEST_CASE("training: killed at three moments and resumed, it ends with the same weights", "[training]") {
  const std::vector<float> expected = undisturbed();
  const tests::Scratch folder;
  setenv(child_folder, folder.path().c_str(), 1);
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  char name[] = "training child", *arguments[] = {const_cast<char*>(self.c_str()), name, nullptr};
  int killed = 0;
  for (const int milliseconds : {300, 500, 400, 0}) {
    pid_t child = 0;
    REQUIRE(posix_spawn(&child, self.c_str(), nullptr, nullptr, arguments, environ) == 0);
    if (milliseconds > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      kill(child, SIGKILL);
    }
    int status = 0;
    waitpid(child, &status, 0);
    killed += WIFSIGNALED(status) ? 1 : 0;
    if (milliseconds == 0) CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  unsetenv(child_folder);
  CHECK(killed == 3);
  Model model(2);
  train(task(model, [](std::int64_t) { FAIL("no step is left"); }), recipe(), folder.path() / "checkpoint.safetensors");
  CHECK(same(weights(model), expected));
}

TEST_CASE("training: damaged checkpoints, and those of another recipe, are refused by name", "[training]") {
  const tests::Scratch folder;
  const fs::path file = folder.path() / "checkpoint.safetensors";
  Model model(1);
  train(task(model, [](std::int64_t step) { if (step == 5) std::raise(SIGINT); }), recipe(), file);
  const auto refused = [&](const Recipe& with) -> std::string {
    Model other(1);
    try {
      train(task(other), with, file);
    } catch (const program::UserError& error) {
      return error.what();
    }
    return "";
  };
  Recipe other = recipe();
  other.peak_rate = 0.02;
  CHECK(refused(other) == file.string() + ": a checkpoint of another recipe; remove it to begin anew, or keep it elsewhere");
  const std::string bytes = tests::get(file);
  for (const std::size_t length : {std::size_t{0}, std::size_t{7}, std::size_t{100}, bytes.size() / 2, bytes.size() - 1}) {
    tests::put(file, bytes.substr(0, length));
    CHECK(refused(recipe()).starts_with(file.string()));
  }
  std::string changed = bytes;
  changed[bytes.size() / 2] = static_cast<char>(changed[bytes.size() / 2] ^ 1);
  tests::put(file, changed);
  CHECK(refused(recipe()).starts_with(file.string()));
}

TEST_CASE("training: a loss that is not a number ends it at its step", "[training]") {
  const tests::Scratch folder;
  Model model(1);
  Task t = task(model);
  const auto loss = t.loss;
  t.loss = [loss](Tape<float>& tape, std::int64_t step, int part) {
    const auto all = loss(tape, step, part);
    return step == 3 && part == 2 ? log(all - all) - log(all - all) : all;
  };
  CHECK_THROWS_AS(train(t, recipe(), folder.path() / "checkpoint.safetensors"), program::CheckFailed);
}

TEST_CASE("training: weights come back as float16, and only into the model they were made for", "[training]") {
  const tests::Scratch folder;
  const fs::path file = folder.path() / "weights.safetensors";
  Model model(1), other(2);
  save_weights(file, model.parameters(), recipe(), {});
  const Json record = load_weights(file, other.parameters(), recipe().configuration);
  CHECK(record["recipe"]["name"] == "first_of_five");
  const auto a = weights(model), b = weights(other);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - b[i]) <= 0x1p-11F * std::abs(a[i]) + 0x1p-25F);
  CHECK_THROWS_AS(load_weights(file, other.parameters(), {{"width", 7}}), program::UserError);
  CHECK_THROWS_AS(load_weights(folder.path() / "none.safetensors", other.parameters(), recipe().configuration), program::UserError);
}
