// RotaryEmbedding: pairs of a head's numbers turned by the angles of their position (RoPE: Su et al. 2021, equation 34).
#include <fmt/format.h>

#include "conformance/attributes.hpp"
#include "conformance/operators.hpp"
#include "positions.hpp"
#include "program/error.hpp"

namespace attention::conformance {

namespace {

using program::UserError;

struct Sizes {
  Index batch, heads, n, dim;
  Index rotated;  ///< of dim
  bool packed;    ///< [batch, n, heads · dim], else [batch, heads, n, dim]

  Index at(Index b, Index h, Index i) const { return packed ? ((b * n + i) * heads + h) * dim : ((b * heads + h) * n + i) * dim; }
};

Sizes sizes_of(const CaseTensor& x, const Attributes& attributes) {
  if (x.rank() != 3 && x.rank() != 4)
    throw UserError(fmt::format("{} has shape {}, expected 3 or 4 dimensions", x.name(), as_text(x.shape())));
  Sizes s{};
  s.packed = x.rank() == 3;
  s.batch = x.extent(0);
  if (s.packed) {
    s.heads = attributes.required("num_heads", 1);
    s.n = x.extent(1);
    if (x.extent(2) % s.heads != 0)
      throw UserError(
          fmt::format("num_heads is {}, which does not divide the last length of {}, {}", s.heads, x.name(), x.extent(2)));
    s.dim = x.extent(2) / s.heads;
  } else {
    s.heads = x.extent(1);
    s.n = x.extent(2);
    s.dim = x.extent(3);
    const Index named = attributes.integer("num_heads", 0, 0);
    if (named != 0 && named != s.heads)
      throw UserError(fmt::format("num_heads is {}, but {} has {} heads", named, x.name(), s.heads));
  }
  // They may be empty.
  if (static_cast<double>(s.batch) * static_cast<double>(s.heads) * static_cast<double>(s.n) > 0x1p28)
    throw UserError(fmt::format("{} × {} × {} vectors are too many for a case", s.batch, s.heads, s.n));
  s.rotated = attributes.integer("rotary_embedding_dim", 0, 0);
  if (s.rotated == 0) s.rotated = s.dim;
  if (s.rotated > s.dim || s.rotated % 2 != 0)
    throw UserError(
        fmt::format("{} numbers of a head are to be turned, of {}; expected an even number, at most all", s.rotated, s.dim));
  return s;
}

/// a · b − c · d, both products rounded to float32 first, as an array library has it: a fused multiply-add would leave one exact,
/// and where the difference is small another number.
float difference_of_products(float a, float b, float c, float d) {
  const auto product = [](float x, float y) { return static_cast<float>(static_cast<double>(x) * static_cast<double>(y)); };
  return product(a, b) - product(c, d);
}

void rotate_pair(float& x, float& y, float cosine, float sine) {
  const float turned = difference_of_products(cosine, x, sine, y);
  y = difference_of_products(sine, x, -cosine, y);
  x = turned;
}

/// Turns the two halves against each other: number i with number i + rotated/2.
void rotate_halves(float* vector, Index rotated, const float* cosine, const float* sine) {
  for (Index i = 0; i < rotated / 2; ++i) rotate_pair(vector[i], vector[i + rotated / 2], cosine[i], sine[i]);
}

/// Turns neighbours: number 2i with number 2i + 1.
void rotate_neighbours(float* vector, Index rotated, const float* cosine, const float* sine) {
  for (Index i = 0; i < rotated / 2; ++i) rotate_pair(vector[2 * i], vector[2 * i + 1], cosine[i], sine[i]);
}

/// The row of the caches for each place of each problem of the batch; none where the caches are in that order.
std::vector<Index> cache_rows(const CaseTensor* positions, const CaseTensor& cosine, const Sizes& s) {
  if (!positions) return {};
  require_shape(*positions, {s.batch, s.n});
  std::vector<Index> rows = positions->as_index();
  for (const Index row : rows)
    if (row < 0 || row >= cosine.extent(0))
      throw UserError(fmt::format("{} holds {}, but the caches have {} rows", positions->name(), row, cosine.extent(0)));
  return rows;
}

}  // namespace

void run_rotary_embedding(const Case& given, Report& report) {
  const CaseTensor& x = *given.input(0);
  const CaseTensor& cosine = *given.input(1);
  const CaseTensor& sine = *given.input(2);
  const CaseTensor* positions = given.input(3);
  const CaseTensor& y = *given.output(0);
  require_float(x);
  for (const CaseTensor* other : {&cosine, &sine, &y}) require_same_dtype(*other, x);
  require_shape(y, x.shape());
  const Attributes attributes(given.attributes);
  const Sizes s = sizes_of(x, attributes);
  const bool interleaved = attributes.integer("interleaved", 0, 0, 1) == 1;
  const Index half_dim = s.rotated / 2;
  if (positions) {
    if (cosine.rank() != 2)
      throw UserError(
          fmt::format("{} has shape {}, expected 2 dimensions beside position_ids", cosine.name(), as_text(cosine.shape())));
    require_shape(cosine, {cosine.extent(0), half_dim});
  } else {
    require_shape(cosine, {s.batch, s.n, half_dim});
  }
  require_shape(sine, cosine.shape());

  const std::vector<float> cosines = cosine.as_float();
  const std::vector<float> sines = sine.as_float();
  const std::vector<Index> rows = cache_rows(positions, cosine, s);
  const auto check = [&](const char* rung, auto rotate) {
    std::vector<float> turned = x.as_float();
    for (Index b = 0; b < s.batch; ++b)
      for (Index h = 0; h < s.heads; ++h)
        for (Index i = 0; i < s.n; ++i) {
          const Index place = b * s.n + i;
          const Index row = positions ? rows[static_cast<std::size_t>(place)] : place;
          rotate(turned.data() + s.at(b, h, i), s.rotated, cosines.data() + row * half_dim, sines.data() + row * half_dim);
        }
    report.check(rung, y, turned);
  };
  check("plain", interleaved ? rotate_neighbours : rotate_halves);
  // Chapter 4 turns neighbours.
  if (interleaved) check("rotate", self_attention::rotate<float>);
}

}  // namespace attention::conformance
