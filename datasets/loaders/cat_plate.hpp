#pragma once

#include <filesystem>
#include <optional>

#include "tensor/tensor.hpp"

namespace attention::datasets {

/// Twenty-four views of a house cat, one after the other in time: Eadweard Muybridge, Animal Locomotion, 1887, plate 720, in which a walk becomes a
/// gallop. [24, height, width], grey, 0 to 1. `data_folder`/house_cat/image.jpg is the plate; none where it is not there. Throws UserError where the
/// file is damaged or of another size.
std::optional<tensor::Tensor<3>> load_cat_frames(const std::filesystem::path& data_folder);

/// The first view in which the hind legs push together, counted from 0: where we see the gallop begin. Nobody's measurement: the plate says only that
/// the gait changes.
inline constexpr std::size_t gallop_begins = 12;

}  // namespace attention::datasets
