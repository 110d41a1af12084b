#include "check_rung.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "machine/affinity.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"
#include "sanitized.hpp"

namespace attention::tests {

namespace {

using ladder::Index;

/// The most that a case may cost: a slow rung under a sanitizer manages some 10⁷ FLOP/s.
constexpr double most_flops = sanitized ? 1e6 : 2e7;

/// The work of a case; none where the mechanism does not take these sizes together (one may have to divide another). A slow
/// rung's exponential takes as long as some twenty additions.
std::optional<double> work_of(const ladder::AnyMechanism& mechanism, const ladder::Shape& shape) {
  try {
    const ladder::Cost cost = mechanism.make(shape, 1, ladder::Hardness::plain)->cost();
    return cost.flops + 20 * cost.exps;
  } catch (const program::UserError&) {
    return std::nullopt;
  }
}

std::vector<Index> sizes_of(const ladder::AnyMechanism& mechanism, const ladder::ShapeKey& key) {
  if (!key.awkward.empty()) return key.awkward;
  std::vector<Index> sizes{1, 3, 7, 16, 17, 31, 32, 33, 61, 127, 257};
  for (const Index tile : mechanism.tile_edges())
    for (const Index n : {tile - 1, tile, tile + 1}) sizes.push_back(std::max<Index>(n, 1));
  return sizes;
}

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
  std::vector<ladder::Shape> shapes;
  numerics::Random random(2);
  for (const ladder::ShapeKey& key : mechanism.keys())
    for (const Index size : sizes_of(mechanism, key))
      // This size, with two random choices of the others.
      for (int choice = 0; choice < (sanitized ? 1 : 2); ++choice) {
        std::vector<std::pair<std::string, Index>> sizes;
        for (const ladder::ShapeKey& other : mechanism.keys()) {
          const std::vector<Index> all = sizes_of(mechanism, other);
          sizes.emplace_back(other.name, other.name == key.name ? size : all[static_cast<std::size_t>(random.bits() % all.size())]);
        }
        ladder::Shape shape = ladder::Shape(sizes).worded(mechanism.keys());
        std::optional<double> work = work_of(mechanism, shape);
        // Too costly: shrink the other sizes, the largest first.
        while (work && *work > most_flops) {
          std::string largest;
          for (const auto& [name, value] : shape.values())
            if (name != key.name && value > 1 && (largest.empty() || value > shape[largest])) largest = name;
          if (largest.empty()) break;
          shape = shape.with(largest, shape[largest] / 2);
          work = work_of(mechanism, shape);
        }
        if (work && *work <= most_flops && std::ranges::count(shapes, shape) == 0) shapes.push_back(shape);
      }
  return shapes;
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
