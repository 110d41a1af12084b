#include "ladder/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "program/error.hpp"

namespace attention::ladder {

using program::UserError;

double Inputs::setting(const std::string& name, double otherwise) const {
  const auto found = settings_.find(name);
  return found == settings_.end() ? otherwise : found->second;
}

tensor::Index Inputs::whole_setting(const std::string& name, tensor::Index otherwise) const {
  return static_cast<tensor::Index>(setting(name, static_cast<double>(otherwise)));
}

void require_settings(const std::map<std::string, double>& given, std::span<const Setting> known, std::string_view mechanism) {
  for (const auto& [name, value] : given) {
    const auto setting = std::ranges::find(known, name, &Setting::name);
    if (setting == known.end()) {
      std::vector<std::string> names;
      for (const Setting& each : known) names.push_back(each.name);
      throw UserError(fmt::format("{} has no setting '{}'; {}", mechanism, name,
                                  names.empty() ? "it has none" : fmt::format("it has {}", fmt::join(names, ", "))));
    }
    if (!(value >= setting->least && value <= setting->most) || (setting->whole && value != std::floor(value)))
      throw UserError(fmt::format("{}: {} is {}; it must be {} from {} to {}", mechanism, name, value,
                                  setting->whole ? "a whole number" : "a number", setting->least, setting->most));
  }
}

namespace detail {

void pad_shape(std::string_view what, std::span<const std::size_t> shape, std::size_t least_rank, std::span<std::size_t> padded) {
  const std::size_t rank = shape.size();
  if (rank < least_rank || rank > padded.size())
    throw UserError(fmt::format("{}: it has {} dimension{}, expected {}", what, rank, rank == 1 ? "" : "s",
                                least_rank == padded.size() ? fmt::format("{}", least_rank) : fmt::format("{} to {}", least_rank, padded.size())));
  if (std::ranges::count(shape, std::size_t{0}) > 0)
    throw UserError(fmt::format("{}: a dimension has size 0, expected 1 or more", what));
  std::ranges::fill(padded, std::size_t{1});
  std::ranges::copy(shape, padded.end() - static_cast<std::ptrdiff_t>(rank));
}

}  // namespace detail

template tensor::Tensor<1> Inputs::tensor<1>(std::size_t, std::size_t) const;
template tensor::Tensor<2> Inputs::tensor<2>(std::size_t, std::size_t) const;
template tensor::Tensor<3> Inputs::tensor<3>(std::size_t, std::size_t) const;
template tensor::Tensor<4> Inputs::tensor<4>(std::size_t, std::size_t) const;

}  // namespace attention::ladder
