#pragma once

#include <optional>
#include <string>
#include <vector>

#include "exercise/exercise.hpp"

namespace attention::exercise {

/// An answer, kept beyond the next run.
struct Answer {
  std::vector<ladder::Field> form;  ///< without values
  std::vector<std::vector<float>> arrays;
};
Answer keep(const Case& problem);

/// The first array that is wrong, and the first place in it.
struct Fault {
  std::size_t array = 0;
  Index place = 0;
};
/// Nothing where the answer is right within rounding. An array of another size than asked is wrong at place −1.
std::optional<Fault> fault_of(const Answer& answer, Case& problem);

/// "output[0][2][1] is 0.5; right is 0.25".
std::string describe(const Fault& fault, const Answer& answer, Case& problem);

/// The same to the last bit.
bool same_bits(const Answer& a, const Answer& b);

/// How well an answer is explained by a wrong one: of the places where either departs from what is right.
struct Match {
  std::size_t departing = 0;
  std::size_t explained = 0;  ///< of these: the two agree
  /// Whether nearly all is explained. A few places may not be: where numbers leave float32's range the order of a sum
  /// tells.
  bool fits() const { return share() >= 0.97; }
  /// 0 where nothing departs: then nothing is told.
  double share() const { return departing == 0 ? 0 : static_cast<double>(explained) / static_cast<double>(departing); }
};
/// Of array `array`. Nothing where the mistake says nothing of it.
std::optional<Match> match(const Answer& answer, Case& problem, const Arrays& wrong, std::size_t array);

}  // namespace attention::exercise
