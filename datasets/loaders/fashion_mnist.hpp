#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::datasets {

/// Pictures in grey, 0 (dark) to 255, and the class of each.
struct ImageSet {
  tensor::TensorOf<std::uint8_t, 3> images;  ///< [count, rows, columns]
  tensor::TensorOf<std::uint8_t, 1> labels;  ///< [count], index into class_names
};

/// Fashion-MNIST (Xiao, Rasul, Vollgraf 2017): 60,000 + 10,000 pictures of clothes, 28 × 28, ten classes; or
/// a stand-in.
struct FashionMnist {
  ImageSet train;
  ImageSet test;
  /// False where it is the generated stand-in; every page and table made from it says so.
  bool real = true;
  std::vector<std::string> class_names;
};

/// "T-shirt/top" and the nine others, in the order of their labels.
const std::vector<std::string>& fashion_class_names();

/// Reads `data_folder`/fashion-mnist/{train,t10k}-{images-idx3,labels-idx1}-ubyte, plain or .gz. Where that
/// folder is not there, returns make_stand_in(). Throws UserError on a missing or damaged file, pictures that
/// are not 28 × 28, unequal numbers of pictures and labels, or a label above 9.
FashionMnist load_fashion_mnist(const std::filesystem::path& data_folder);

/// The first `count` pictures of a set; all where it has fewer. For a quick look.
ImageSet first_pictures(const ImageSet& set, std::size_t count);

/// Ten classes of simple shapes, 28 × 28, moved, turned, scaled and noisy, so that no single picture tells a
/// class apart; the classes come in turn. The same numbers give the same pictures, up to the compiler's
/// rounding.
FashionMnist make_stand_in(std::size_t train_count = 6'000, std::size_t test_count = 1'000);

}  // namespace attention::datasets
