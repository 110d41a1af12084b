#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "answers.hpp"
#include "catch.hpp"
#include "exercise/child.hpp"
#include "exercise/examine.hpp"
#include "exercise/main.hpp"
#include "exercise/place.hpp"
#include "tensor/memory.hpp"

using namespace attention;
using exercise::Verdict;
using tests::ExerciseAnswer;

namespace {

Verdict verdict_on(const ExerciseAnswer& answer) {
  return exercise::examine(exercise::find_exercise(answer.exercises(), answer.exercise), answer.run,
                           exercise::Sanitizer::none);
}

/// The text of an exercise in its chapter's README, its lines joined.
std::string text_of(const ExerciseAnswer& stub) {
  std::ifstream file(std::string(ATTENTION_SOURCE_DIR) + "/chapters/" + stub.chapter + "/exercises/README.md");
  std::string text;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line.find(" " + stub.exercise + ": ") != std::string::npos;
    if (inside) text += line + " ";
  }
  return text;
}

}  // namespace

// Hidden: an exercise is a test of ctest's own.
TEST_CASE("answers to the exercises", "[.][exercises]") {
  for (const ExerciseAnswer& stub : tests::exercise_answers()) {
    if (stub.kind != "stub") continue;
    SECTION(stub.chapter + " " + stub.exercise) {
      for (const ExerciseAnswer& answer : tests::exercise_answers()) {
        if (answer.chapter != stub.chapter || answer.exercise != stub.exercise) continue;
        const Verdict verdict = verdict_on(answer);
        INFO(answer.exercise << " " << answer.kind << ": " << verdict.name << ": " << verdict.reason << " | "
                             << verdict.seen);
        CHECK(verdict.passed == (answer.kind == "solution"));
        if (verdict.passed) CHECK(verdict.problems > 20);
        if (verdict.passed) continue;
        CHECK(verdict.name == (answer.kind == "stub" ? "nothing_written" : answer.kind));
        CHECK_FALSE(verdict.reason.empty());
        CHECK_FALSE(verdict.seen.empty());
      }
    }
  }
}

TEST_CASE("every exercise has a stub, a solution, marks, and names that the check knows", "[exercise]") {
  const std::vector<ExerciseAnswer>& all = tests::exercise_answers();
  CHECK_FALSE(all.empty());
  for (const ExerciseAnswer& stub : all) {
    if (stub.kind != "stub") continue;
    INFO(stub.chapter << " " << stub.exercise);
    const std::vector<exercise::Exercise> exercises = stub.exercises();
    const exercise::Exercise& one = exercise::find_exercise(exercises, stub.exercise);
    const auto same = [&](const ExerciseAnswer& a) { return a.chapter == stub.chapter && a.exercise == stub.exercise; };
    CHECK(std::ranges::count_if(all, [&](const ExerciseAnswer& a) { return same(a) && a.kind == "solution"; }) == 1);
    CHECK(std::ranges::count_if(exercises, [&](const exercise::Exercise& e) {
            return std::ranges::any_of(
                all, [&](const ExerciseAnswer& a) { return a.chapter == stub.chapter && a.exercise == e.task.name; });
          }) == std::ssize(exercises));
    CHECK(one.mistakes.size() >= 3);
    CHECK(one.task.marks.bronze > 0);
    CHECK(one.task.marks.bronze < one.task.marks.silver);
    CHECK(one.task.marks.silver < one.task.marks.gold);
    CHECK(one.task.marks.gold <= 1);
    const std::string text = text_of(stub);
    CHECK_THAT(text, tests::contains(fmt::format("bronze from {:g} %", 100 * one.task.marks.bronze)));
    CHECK_THAT(text, tests::contains(fmt::format("silver from {:g} %", 100 * one.task.marks.silver)));
    CHECK_THAT(text, tests::contains(fmt::format("gold from {:g} %", 100 * one.task.marks.gold)));
    CHECK_NOTHROW(ladder::parse_shape(one.task.timed, one.with(stub.run)->keys()));
  }
}

TEST_CASE("marks are given by the share of the roof", "[exercise]") {
  const exercise::Marks marks{0.1, 0.2, 0.4};
  CHECK(exercise::mark_for(0.05, marks).empty());
  CHECK(exercise::mark_for(0.1, marks) == "bronze");
  CHECK(exercise::mark_for(0.3, marks) == "silver");
  CHECK(exercise::mark_for(0.4, marks) == "gold");
}

TEST_CASE("large memory lies on the boundary of a huge page, guarded or not", "[exercise]") {
  constexpr std::size_t huge_page = std::size_t{1} << 21U;
  void* memory = tensor::take_memory(2 * huge_page);
  CHECK(reinterpret_cast<std::uintptr_t>(memory) % huge_page == 0);
  tensor::give_memory(memory, 2 * huge_page);
}

TEST_CASE("a child that crashes, ends, throws or stands still is told from one that is done", "[exercise]") {
  using Kind = exercise::ChildEnd::Kind;
  const auto done = exercise::in_child(
      [](const exercise::Doing& doing) {
        doing("well");
        return std::string(100000, 'x');
      },
      10);
  CHECK(done.kind == Kind::done);
  CHECK(done.answer.size() == 100000);
  CHECK(done.doing == "well");
  const auto crashed = exercise::in_child(
      [](const exercise::Doing& doing) -> std::string {
        doing("this");
        std::abort();
      },
      10);
  CHECK(crashed.kind == Kind::signal);
  CHECK(crashed.doing == "this");
  const auto ended = exercise::in_child([](const exercise::Doing&) -> std::string { _exit(3); }, 10);
  CHECK(ended.kind == Kind::status);
  CHECK(ended.code == 3);
  const auto stands = exercise::in_child(
      [](const exercise::Doing&) -> std::string {
        for (;;) pause();
      },
      0.1);
  CHECK(stands.kind == Kind::stalled);
  const auto turns = exercise::in_child(
      [](const exercise::Doing&) -> std::string {
        for (std::atomic<unsigned> turn = 0;;) ++turn;
      },
      0.3);
  CHECK(turns.kind == Kind::stalled);
  // It takes longer than it computes, as all does on a machine with much else to do.
  const auto slow = exercise::in_child(
      [](const exercise::Doing&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(600));
        return std::string("done");
      },
      0.3);
  CHECK(slow.kind == Kind::done);
}
