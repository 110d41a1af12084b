#pragma once

#include <filesystem>

#include "tensor/tensor.hpp"

namespace attention::datasets {

/// The most pixels a picture may have, and the most bytes its file.
inline constexpr std::size_t most_pixels = std::size_t{1} << 26U, most_picture_bytes = std::size_t{1} << 28U;

/// A picture in grey, [height, width], 0 (dark) to 1, from a PNG file (by libpng; colours become their brightness, what is transparent is black), a
/// JPEG file (by libjpeg, its brightness) or a PGM file (Netpbm's P2 or P5, one picture). Throws UserError, one line that names the file, where it is none of them, damaged, cut off, too
/// large, or has no pixels.
tensor::Tensor<2> read_picture_file(const std::filesystem::path& path);

}  // namespace attention::datasets
