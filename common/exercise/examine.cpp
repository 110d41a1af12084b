#include "exercise/examine.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <regex>

#include "exercise/child.hpp"
#include "program/text.hpp"

namespace attention::exercise {

namespace {

/// A problem takes milliseconds. Under a sanitizer, or with many processes beside, it may take a hundred times as long.
constexpr double patience_s = 10;
constexpr double patience_sanitized_s = 120;

Effort effort_for(Sanitizer sanitizer) {
  if (sanitizer == Sanitizer::none) return {};
  return {.most_flops = 2e5, .race_runs = 3, .few = true};
}

/// The line of a sanitizer's report that says what happened, and the first of its lines that lies in the reader's file.
std::string sanitizer_said(const std::string& errors) {
  static const std::regex what(
      "(AddressSanitizer: [-a-zA-Z]+|ThreadSanitizer: data race|runtime error: [^\n]*)");
  static const std::regex place("/([0-9]_[a-z_]+\\.cpp:[0-9]+)");
  static const std::regex access("(READ|WRITE|Read|Write) of size [0-9]+");
  std::smatch found;
  if (!std::regex_search(errors, found, what)) return {};
  std::string said = found[0];
  if (std::regex_search(errors, found, access)) said += ", " + found[0].str();
  if (std::regex_search(errors, found, place)) said += ", at " + found[1].str();
  return program::one_line(said, 300);
}

/// The name of what a sanitizer said: race, crash (a null pointer followed), out_of_bounds, or undefined (any other thing that C++ does not
/// define, such as the overflow of an int).
std::string name_of(const std::string& said) {
  const auto tells = [&](const char* what) { return said.find(what) != std::string::npos; };
  if (tells("data race")) return "race";
  if (tells("null pointer") || tells("SEGV")) return "crash";
  const bool bounds = tells("out of bounds") || tells("insufficient space");
  return tells("runtime error") && !bounds ? "undefined" : "out_of_bounds";
}

/// The verdict on a rung that did not come to an end of its own.
Verdict stopped(const ChildEnd& end) {
  Verdict verdict;
  verdict.failed = 1;
  verdict.seen = end.doing;
  if (const std::string said = sanitizer_said(end.errors); !said.empty()) {
    verdict.name = name_of(said);
    verdict.reason = said + ".";
    if (verdict.name == "race") verdict.reason += " Declare each buffer and each sum inside the parallel loop.";
  } else if (end.kind == ChildEnd::Kind::stalled) {
    verdict.name = "endless";
    verdict.reason =
        "The rung does not come back: does every loop reach its end, and does the counter that it tests move?";
  } else if (end.kind == ChildEnd::Kind::signal) {
    verdict.name = "crash";
    verdict.reason = fmt::format(
        "The rung was ended by signal {} ({}): an index runs far beyond its array, or a null pointer is followed. "
        "With --sanitize address the check tells the line.",
        end.code, strsignal(end.code));
  } else {
    verdict.name = "exit";
    verdict.reason = fmt::format("The rung ended the program, with status {}.", end.code);
  }
  return verdict;
}

}  // namespace

Json to_json(const Verdict& v) {
  return {{"passed", v.passed}, {"name", v.name},         {"seen", v.seen},    {"reason", v.reason},
          {"note", v.note},     {"problems", v.problems}, {"failed", v.failed}};
}

Verdict verdict_of(const Json& json) {
  return {json.at("passed"), json.at("name"),     json.at("seen"),  json.at("reason"),
          json.at("note"),   json.at("problems"), json.at("failed")};
}

Verdict examine(const Exercise& exercise, const std::any& run, Sanitizer sanitizer) {
  const ChildEnd end =
      in_child([&](const Doing& doing) { return to_json(check(exercise, run, effort_for(sanitizer), doing)).dump(); },
               sanitizer == Sanitizer::none ? patience_s : patience_sanitized_s);
  if (end.kind != ChildEnd::Kind::done) return stopped(end);
  Verdict verdict = verdict_of(Json::parse(end.answer));
  // The thread sanitizer goes on after what it finds.
  if (const std::string said = sanitizer_said(end.errors); verdict.passed && !said.empty()) verdict = stopped(end);
  return verdict;
}

}  // namespace attention::exercise
