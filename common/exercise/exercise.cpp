#include "exercise/exercise.hpp"

#include <bit>

namespace attention::exercise {

namespace {

/// A quiet NaN whose bits no operation of the processor gives by itself.
constexpr std::uint32_t unwritten = 0x7fe5a5a5;

}  // namespace

bool is_unwritten(float value) { return std::bit_cast<std::uint32_t>(value) == unwritten; }

void Case::spoil() { fill(std::bit_cast<float>(unwritten)); }

void fill_fields(const std::vector<ladder::Field>& fields, float with) {
  for (const ladder::Field& field : fields) {
    // The answer is the caller's; Field shows it read-only because others only look.
    float* values = const_cast<float*>(field.values.data());
    std::fill(values, values + field.values.size(), with);
  }
}

}  // namespace attention::exercise
