#pragma once

#include <cmath>
#include <vector>

#include "tensor/tensor.hpp"

/// How self-attention learns where a token stands. Positions count from 0.
namespace attention::self_attention {

using tensor::Index;

/// Which of the four, or none.
enum class Positions {
  none,           ///< the sequence is a set: permuted tokens give the same outputs, permuted
  sinusoidal,     ///< added to the input (Vaswani et al. 2017, section 3.5)
  rotary,         ///< queries and keys rotated by their position (RoPE: Su et al. 2021, equation 34)
  linear_biases,  ///< −slope · distance added to the scores (ALiBi: Press et al. 2022, section 3)
  learned,        ///< a row of a table added to the input (Gehring et al. 2017, section 3.1; Devlin et al. 2019, figure 2)
};
inline constexpr Positions all_positions[] = {Positions::none, Positions::sinusoidal, Positions::rotary, Positions::linear_biases,
                                              Positions::learned};
const char* positions_name(Positions positions);

/// PE(position, 2i) = sin(position / 10000^(2i/width)), PE(position, 2i + 1) = cos(…): `width` numbers to `to`.
void sinusoidal_encoding(Index position, Index width, double* to);

/// The angle by which RoPE turns the pair (2i, 2i + 1) of a vector of `dim` entries: position / 10000^(2i/dim).
double rotary_angle(Index position, Index pair, Index dim);

/// Turns every pair (2i, 2i + 1) of `vector` by its angle; the last entry of an odd `dim` stays. `cosine` and `sine` hold
/// dim/2 numbers each.
template <class Real>
void rotate(Real* vector, Index dim, const Real* cosine, const Real* sine) {
  for (Index i = 0; i < dim / 2; ++i) {
    const Real x = vector[2 * i];
    const Real y = vector[2 * i + 1];
    vector[2 * i] = x * cosine[i] - y * sine[i];
    vector[2 * i + 1] = y * cosine[i] + x * sine[i];
  }
}

/// Turns vectors of `dim` entries as RoPE does at one position; the angles of a position serve all heads.
template <class Real>
class Rotation {
 public:
  explicit Rotation(Index dim) : dim_(dim), cosine_(static_cast<std::size_t>(dim / 2)), sine_(cosine_) {}

  void set_position(Index position) {
    for (Index pair = 0; pair < dim_ / 2; ++pair) {
      const double angle = rotary_angle(position, pair, dim_);
      cosine_[static_cast<std::size_t>(pair)] = static_cast<Real>(std::cos(angle));
      sine_[static_cast<std::size_t>(pair)] = static_cast<Real>(std::sin(angle));
    }
  }
  void turn(Real* vector) const { rotate(vector, dim_, cosine_.data(), sine_.data()); }

 private:
  Index dim_;
  std::vector<Real> cosine_, sine_;
};

/// ALiBi's slope of each head. For a power of two, the geometric sequence that starts at 2^(−8/heads) with that ratio (the
/// paper, section 3): 1/2 … 1/256 for 8 heads. For other numbers the authors' code is followed, which departs from it: the
/// slopes of the next lower power of two, then every second one of the next higher.
std::vector<float> linear_bias_slopes(Index heads);

}  // namespace attention::self_attention
