#include "exercise/evidence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "exercise/wrong_softmax.hpp"

namespace attention::exercise {

namespace {

/// NaN and the infinities count as one: which of them comes out depends on the order of a sum.
bool agree(double a, double b, double tolerance) {
  if (!std::isfinite(a) || !std::isfinite(b)) return std::isfinite(a) == std::isfinite(b);
  return std::abs(a - b) <= tolerance;
}

std::string place_text(const ladder::Field& field, Index place) {
  std::string text;
  for (auto extent = field.shape.rbegin(); extent != field.shape.rend(); ++extent) {
    const auto size = static_cast<Index>(std::max<std::size_t>(*extent, 1));
    text.insert(0, fmt::format("[{}]", place % size));
    place /= size;
  }
  return field.name + text;
}

}  // namespace

Answer keep(const Case& problem) {
  Answer answer;
  for (ladder::Field field : problem.answer()) {
    answer.arrays.emplace_back(field.values.begin(), field.values.end());
    field.values = {};
    answer.form.push_back(std::move(field));
  }
  return answer;
}

std::optional<Fault> fault_of(const Answer& answer, Case& problem) {
  const auto& right = problem.right();
  for (std::size_t a = 0; a < right.size(); ++a) {
    const std::vector<float>& array = answer.arrays.at(a);
    if (array.empty() && a > 0) continue;  // a rung need not store all
    if (array.size() != right[a].values.size()) return Fault{a, -1};
    for (std::size_t i = 0; i < array.size(); ++i)
      if (!agree(static_cast<double>(array[i]), right[a].values[i], right[a].bound))
        return Fault{a, static_cast<Index>(i)};
  }
  return {};
}

std::string describe(const Fault& fault, const Answer& answer, Case& problem) {
  const ladder::Field& form = answer.form.at(fault.array);
  const ladder::ReferenceField& right = problem.right().at(fault.array);
  if (fault.place < 0)
    return fmt::format("{} has {} values; {} are asked for", form.name, answer.arrays[fault.array].size(),
                       right.values.size());
  const auto place = static_cast<std::size_t>(fault.place);
  const float given = answer.arrays[fault.array][place];
  return fmt::format("{} {}; right is {:.6g}", place_text(form, fault.place),
                     is_unwritten(given) ? std::string("was never written") : fmt::format("is {:.6g}", given),
                     right.values[place]);
}

bool same_bits(const Answer& a, const Answer& b) {
  // Not memcmp: an array that nobody asked for is empty and has no address.
  const auto bits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  return std::ranges::equal(a.arrays, b.arrays, [&](const auto& x, const auto& y) { return std::ranges::equal(x, y, {}, bits, bits); });
}

std::optional<Match> match(const Answer& answer, Case& problem, const Arrays& wrong, std::size_t array) {
  if (array >= wrong.size() || wrong[array].empty()) return {};
  const ladder::ReferenceField& right = problem.right().at(array);
  const std::vector<float>& given = answer.arrays.at(array);
  const std::vector<double>& expected = wrong[array];
  if (given.empty()) return {};
  if (given.size() != right.values.size() || expected.size() != given.size()) return Match{1, 0};
  double largest = 0;
  for (const double x : expected)
    if (std::isfinite(x) && x != unknown) largest = std::max(largest, std::abs(x));
  // A mistake may make rounding worse than the bound of what is right allows.
  const double tolerance = 10 * right.bound + 2e-3 * largest;
  Match result;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (expected[i] == unknown) continue;
    const auto x = static_cast<double>(given[i]);
    // Where both are nearly right the place tells nothing.
    if (agree(x, right.values[i], tolerance) && agree(expected[i], right.values[i], tolerance)) continue;
    ++result.departing;
    if (!is_unwritten(given[i]) && agree(x, expected[i], tolerance)) ++result.explained;
  }
  return result;
}

}  // namespace attention::exercise
