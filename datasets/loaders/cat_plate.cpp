#include "loaders/cat_plate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "loaders/folder.hpp"
#include "loaders/picture_file.hpp"
#include "program/error.hpp"

namespace attention::datasets {

std::optional<tensor::Tensor<3>> load_cat_frames(const std::filesystem::path& data_folder) {
  if (!has_folder(data_folder, "house_cat")) return std::nullopt;
  const std::filesystem::path file = data_folder / "house_cat" / "image.jpg";
  const tensor::Tensor<2> plate = read_picture_file(file);
  // Where the views stand in the scan, without their edges.
  constexpr std::size_t plate_height = 510, plate_width = 1024, columns = 6, left = 10, step = 168, width = 156, height = 104;
  constexpr std::array<std::size_t, 4> tops{14, 139, 264, 394};
  if (plate.shape(0) != plate_height || plate.shape(1) != plate_width)
    throw program::UserError(fmt::format("{}: {} × {} pixels, the plate has {} × {}", file.string(), plate.shape(1), plate.shape(0), plate_width, plate_height));
  tensor::Tensor<3> frames = tensor::empty<3>({tops.size() * columns, height, width});
  float* to = frames.data();
  for (const std::size_t top : tops)
    for (std::size_t column = 0; column < columns; ++column)
      for (std::size_t y = 0; y < height; ++y) to = std::copy_n(&plate(top + y, left + column * step), width, to);
  return frames;
}

}  // namespace attention::datasets
