#pragma once

#include <optional>
#include <span>

/// Whether two lists of figures about the same things put them in the same order: 1 the same, −1 the reverse, about 0
/// no relation. There is no answer (nullopt) for fewer than two things, nor where one list's values are all equal.
/// Throws std::invalid_argument where the lengths differ, program::UserError for a value that is not a number.
namespace attention::numerics {

/// Kendall's τ-b: of all pairs of things, those in the same order less those in the other, over the pairs that are not
/// tied (Kendall 1945, The Treatment of Ties in Ranking Problems, equation 4). Takes n² steps.
std::optional<double> kendall_tau(std::span<const double> a, std::span<const double> b);

/// Spearman's ρ: the correlation of the ranks; tied values share the mean of theirs (Spearman 1904; Kendall 1945).
std::optional<double> spearman_rho(std::span<const double> a, std::span<const double> b);

}  // namespace attention::numerics
