#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tensor/npy.hpp"
#include "tensor/tensor.hpp"

namespace attention::ladder {

/// A float32 array that the caller lends, row by row. It must outlive what is made of it, and is never written to.
struct LentArray {
  std::vector<std::size_t> shape;
  const float* values = nullptr;
};

/// Where one tensor of a problem comes from: a .npy file, or the caller's memory.
using InputSource = std::variant<std::filesystem::path, LentArray>;

/// A number that a problem has beside its tensors, as `causal` or `scale`.
struct Setting {
  std::string name;
  std::string meaning;
  double least = 0;
  double most = 0;
  bool whole = true;           ///< only whole numbers
  std::string otherwise = "0"; ///< in words: what it is where it is not given
};

/// What a problem is made from where it is not made up: its tensors in the mechanism's order, and settings by name.
class Inputs {
 public:
  /// `names` of the tensors, one a source, for messages.
  Inputs(std::span<const InputSource> sources, std::span<const std::string> names, std::map<std::string, double> settings = {})
      : sources_(sources), names_(names), settings_(std::move(settings)) {}

  std::size_t size() const { return sources_.size(); }
  /// Tensor i: of at least `least_rank` and at most `Rank` dimensions; missing leading ones become 1, so that [n, dim] is
  /// [1, 1, n, dim]. A file is read; lent memory stays where it is. Throws UserError on another rank, a dimension of size 0, and as
  /// tensor::load does.
  template <std::size_t Rank>
  tensor::Tensor<Rank> tensor(std::size_t i, std::size_t least_rank) const;
  /// The first `count` tensors, and all settings: what the forward mechanism takes of its backward's.
  Inputs first(std::size_t count) const { return {sources_.first(count), names_.first(count), settings_}; }
  /// The setting of that name; `otherwise` where it was not given.
  double setting(const std::string& name, double otherwise) const;
  tensor::Index whole_setting(const std::string& name, tensor::Index otherwise) const;

 private:
  std::span<const InputSource> sources_;
  std::span<const std::string> names_;
  std::map<std::string, double> settings_;
};

/// Throws UserError, naming it and what there is, for a setting that is not among `known` or out of its bounds.
void require_settings(const std::map<std::string, double>& given, std::span<const Setting> known, std::string_view mechanism);

namespace detail {

/// `shape` with leading ones up to `padded`; throws UserError as Inputs::tensor, `what` being file or tensor.
void pad_shape(std::string_view what, std::span<const std::size_t> shape, std::size_t least_rank, std::span<std::size_t> padded);

}  // namespace detail

template <std::size_t Rank>
tensor::Tensor<Rank> Inputs::tensor(std::size_t i, std::size_t least_rank) const {
  std::array<std::size_t, Rank> padded{};
  if (const auto* array = std::get_if<LentArray>(&sources_[i])) {
    detail::pad_shape(names_[i], array->shape, least_rank, padded);
    // Problems are read only; a tensor that says so would be another type in every kernel.
    return tensor::lent<Rank>(const_cast<float*>(array->values), padded);
  }
  const auto& file = std::get<std::filesystem::path>(sources_[i]);
  attention::tensor::Tensor<Rank> read;
  tensor::detail::load_elements(file, tensor::read_npy_header(file).shape.size(), tensor::dtype_of<float>(), [&](std::span<const std::size_t> shape) -> void* {
    detail::pad_shape(file.string(), shape, least_rank, padded);
    read = tensor::empty<Rank>(padded);
    return read.data();
  });
  return read;
}

// Made once, in inputs.cpp, not in every file that describes a mechanism.
extern template tensor::Tensor<1> Inputs::tensor<1>(std::size_t, std::size_t) const;
extern template tensor::Tensor<2> Inputs::tensor<2>(std::size_t, std::size_t) const;
extern template tensor::Tensor<3> Inputs::tensor<3>(std::size_t, std::size_t) const;
extern template tensor::Tensor<4> Inputs::tensor<4>(std::size_t, std::size_t) const;

}  // namespace attention::ladder
