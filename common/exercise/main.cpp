#include "exercise/main.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>

#include "exercise/child.hpp"
#include "exercise/examine.hpp"
#include "exercise/place.hpp"
#include "program/command_line.hpp"
#include "program/error.hpp"
#include "program/main.hpp"
#include "program/text.hpp"

namespace attention::exercise {

namespace {

/// Words in lines of at most 100 columns, all but the first behind the label's width.
std::string paragraph(std::string_view label, std::string_view text) {
  constexpr std::size_t width = 100;
  constexpr std::size_t indent = 8;
  std::string all = fmt::format("{:<{}}", label, indent);
  std::size_t column = indent;
  for (const std::string_view word : program::split(text, ' ')) {
    const std::size_t length = program::display_width(word);
    if (column > indent && column + 1 + length > width) {
      all += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      all += ' ';
      ++column;
    }
    all += word;
    column += length;
  }
  return all + "\n";
}

void print(const Exercise& exercise, const Verdict& v) {
  if (v.passed) {
    std::cout << fmt::format("{}: right, on {} problems\n", exercise.task.name, v.problems);
    if (!v.note.empty()) std::cout << paragraph("note", v.note);
    return;
  }
  std::cout << fmt::format("{}: not right yet{}\n\n", exercise.task.name, v.name.empty() ? "" : ": " + v.name);
  std::cout << paragraph("what", program::one_line(v.reason, 2000));
  if (!v.seen.empty()) std::cout << paragraph("where", program::one_line(v.seen, 2000));
}

/// The time limit of `place` is generous: the roofs are measured in it too.
constexpr double place_patience_s = 120;

int place_it(const Exercise& exercise, const std::any& run) {
  const ChildEnd end = in_child(
      [&](const Doing& doing) {
        try {
          return "+" + place(exercise, run, doing);
        } catch (const std::exception& error) {
          return std::string("-") + error.what();
        }
      },
      place_patience_s);
  if (end.kind != ChildEnd::Kind::done)
    throw program::CheckFailed(fmt::format("right on the small problems, but on the one that is timed ({}) it {}",
                                           exercise.task.timed,
                                           end.kind == ChildEnd::Kind::stalled ? "does not come back" : "crashes"));
  if (end.answer.front() == '-') throw program::CheckFailed(end.answer.substr(1));
  std::cout << end.answer.substr(1);
  return 0;
}

}  // namespace

const Exercise& find_exercise(const std::vector<Exercise>& exercises, std::string_view name) {
  std::vector<std::string> names;
  for (const Exercise& exercise : exercises) {
    if (exercise.task.name == name) return exercise;
    names.push_back(exercise.task.name);
  }
  throw program::UserError(fmt::format("there is no exercise '{}'; there are: {}", name, fmt::join(names, ", ")));
}

int check_main(int argc, char** argv, const std::vector<Exercise>& exercises, std::string_view name,
               const std::any& run) {
  return program::run_main(argc, argv, [&]() -> int {
    CLI::App app("Checks a rung that was written for an exercise.", "course exercise");
    std::string sanitizer;
    bool no_place = false;
    app.add_option("--sanitizer", sanitizer, "what the rung was compiled with")
        ->check(CLI::IsMember({"address", "thread"}));
    app.add_flag("--no-place", no_place, "only check, do not time");
    if (const auto status = program::parse(app, argc, argv)) return *status;
    const Sanitizer kind = sanitizer == "address"  ? Sanitizer::address
                           : sanitizer == "thread" ? Sanitizer::thread
                                                   : Sanitizer::none;

    const Exercise& exercise = find_exercise(exercises, name);
    const Verdict verdict = examine(exercise, run, kind);
    print(exercise, verdict);
    if (!verdict.passed) return 1;
    if (no_place || kind != Sanitizer::none) return 0;
    return place_it(exercise, run);
  });
}

}  // namespace attention::exercise
