#pragma once

#include <filesystem>
#include <ostream>
#include <span>
#include <string>

#include "training/sitting.hpp"

namespace attention::convolutional {

/// At most so many pictures are taken at once.
inline constexpr std::size_t most_files = 100;

/// Reads each picture file with every trained network: classes and the places attended to on `out`; in results/06_convolutional_attention/image the
/// file pictures.json and the records picture_1, picture_2, … What an earlier call wrote there goes. Throws UserError where a file is no
/// picture, there are too many, or nothing is trained.
void look_at_pictures(std::span<const std::string> files, const std::filesystem::path& results, const training::WeightFolders& trained, std::ostream& out);

}  // namespace attention::convolutional
