#pragma once

#include <filesystem>
#include <ostream>

namespace attention::convolutional {

/// Trains the plain network for `steps` steps, from the beginning and without looking at validation pictures, and writes one line of JSON: seconds a
/// step, pictures a step and an epoch. For who holds it against another library.
void time_training(std::int64_t steps, const std::filesystem::path& data, std::ostream& out);

}  // namespace attention::convolutional
