#include "exercise/place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ladder/climb.hpp"
#include "machine/affinity.hpp"
#include "machine/roofs.hpp"
#include "program/table.hpp"

namespace attention::exercise {

namespace {

/// Rungs that the reader's is held against: steps of the ladder, and a library's way. Variants compute something else.
std::vector<std::size_t> rungs_beside(const ladder::AnyMechanism& mechanism) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < mechanism.rungs().size(); ++i)
    if (!mechanism.rungs()[i].variant) chosen.push_back(i);
  return chosen;
}

std::string percent(double share) { return fmt::format("{:.3g} %", 100 * share); }

std::string next_mark(double share, const Marks& marks) {
  for (const auto& [name, least] :
       {std::pair("bronze", marks.bronze), std::pair("silver", marks.silver), std::pair("gold", marks.gold)})
    if (share < least) return fmt::format("{} from {} of the roof on", name, percent(least));
  return "there is none above";
}

}  // namespace

std::string mark_for(double share, const Marks& marks) {
  if (share >= marks.gold) return "gold";
  if (share >= marks.silver) return "silver";
  return share >= marks.bronze ? "bronze" : "";
}

std::string place(const Exercise& exercise, const std::any& run, const Doing& doing) {
  const ladder::MechanismPtr mechanism = exercise.with(run);
  const ladder::Shape shape = ladder::parse_shape(exercise.task.timed, mechanism->keys());
  const auto trial = mechanism->make(shape, 1, ladder::Hardness::plain);
  const int threads = exercise.task.parallel ? machine::available_cpus() : 1;

  ladder::ClimbOptions options;
  options.rungs = rungs_beside(*mechanism);
  options.whole = {mechanism->rung_index("yours")};
  options.threads = {threads};
  options.seconds = 0.15;
  options.sample_above_s = 0.3;
  options.reference_flops = 5e8;
  options.check_threads = machine::available_cpus();
  options.note = [&](const std::string& what) { doing(what); };
  doing("the roofs");
  machine::Roofs roofs;
  std::vector<ladder::Measurement> all = ladder::climb(*mechanism, *trial, options, roofs);
  std::erase_if(all, [](const ladder::Measurement& m) { return m.status == ladder::Status::skipped; });
  std::ranges::stable_sort(all, {}, &ladder::Measurement::roof_share);

  program::Table table({{""}, {"rung"}, {"time"}, {"share of roof"}, {"idea"}});
  const ladder::Measurement* yours = nullptr;
  for (const ladder::Measurement& m : all) {
    const bool own = m.rung == "yours";
    if (own) yours = &m;
    table.add({own ? ">" : "",
               m.rung + (m.status == ladder::Status::sampled ? " *" : "") + (m.beside ? " (library)" : ""),
               ladder::format_seconds(m.median_s), fmt::format("{} {}", percent(m.roof_share), m.roof_kind), m.idea});
  }
  std::string text = fmt::format("\n{} on {}, {} thread{}\n\n{}", mechanism->title(), shape.text(), threads,
                                 threads == 1 ? "" : "s", table.text(2));
  if (std::ranges::count(all, ladder::Status::sampled, &ladder::Measurement::status) > 0)
    text += "  * timed on a sample of the rows and scaled up\n";
  if (!yours) return text;
  const std::string mark = mark_for(yours->roof_share, exercise.task.marks);
  text += fmt::format("\nMark: {}, for {} of the {} roof; next: {}.\n", mark.empty() ? "none yet" : mark,
                      percent(yours->roof_share), yours->roof_kind, next_mark(yours->roof_share, exercise.task.marks));
  return text;
}

}  // namespace attention::exercise
