#include "check_rung.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ladder/awkward_shapes.hpp"
#include "machine/affinity.hpp"
#include "sanitized.hpp"

namespace attention::tests {

namespace {

/// The most that a case may cost: a slow rung under a sanitizer manages some 10⁷ FLOP/s.
constexpr double most_flops = sanitized ? 1e6 : 2e7;

std::vector<std::byte> bits_of(const ladder::Trial& trial) {
  std::vector<std::byte> bits;
  for (const ladder::Field& field : trial.answer()) {
    const auto* first = reinterpret_cast<const std::byte*>(field.values.data());
    bits.insert(bits.end(), first, first + field.values.size_bytes());
  }
  return bits;
}

}  // namespace

std::vector<ladder::Shape> awkward_shapes(const ladder::AnyMechanism& mechanism) {
  return ladder::awkward_shapes(mechanism, most_flops, sanitized ? 1 : 2);
}

namespace {

/// What is wrong with the rung's answers on this trial, with 1, 2 and 3 threads; empty where nothing is.
std::string fault_on(const ladder::AnyMechanism& mechanism, std::size_t rung, ladder::Trial& trial, ladder::Hardness hardness) {
  const ladder::RungInfo& info = mechanism.rungs()[rung];
  const std::vector<int> thread_counts = info.parallel ? std::vector{1, 2, 3} : std::vector{1};
  std::vector<std::byte> bits;
  for (const int threads : thread_counts) {
    machine::use_threads(threads);
    const std::string where = fmt::format("{} / {} on {}, hardness {}, {} threads", mechanism.name(), info.name,
                                          trial.shape().text(), static_cast<int>(hardness), threads);
    trial.spoil();
    trial.run(rung);
    const ladder::CheckResult result = trial.check(rung, {});
    if (!result.passed) return where + ": " + result.fault;
    const std::vector<std::byte> now = bits_of(trial);
    if (threads == 1)
      bits = now;
    else if (now != bits && !info.beside)
      return where + ": other bits than with one thread";
  }
  return {};
}

}  // namespace

std::vector<std::string> faults_of(const ladder::AnyMechanism& mechanism) {
  std::vector<std::string> faults(mechanism.rungs().size());
  std::uint64_t seed = 0;
  for (const ladder::Shape& shape : awkward_shapes(mechanism))
    for (const ladder::Hardness hardness : ladder::all_hardness) {
      // One trial for all rungs: its reference is computed once.
      const auto trial = mechanism.make(shape, ++seed, hardness);
      for (std::size_t rung = 0; rung < faults.size(); ++rung)
        if (faults[rung].empty() && trial->unable(rung).empty()) faults[rung] = fault_on(mechanism, rung, *trial, hardness);
      if (std::ranges::none_of(faults, &std::string::empty)) return faults;
    }
  return faults;
}

}  // namespace attention::tests
