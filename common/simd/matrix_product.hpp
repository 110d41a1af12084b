#pragma once

#include <cstddef>
#include <span>

namespace attention::simd {

/// A matrix that is multiplied from the right again and again, cut into panels of the micro-kernel's width:
/// to[panel][depth][panel_columns], the last panel filled with zeros. So the kernel reads its vectors in order.
std::ptrdiff_t packed_size(std::ptrdiff_t depth, std::ptrdiff_t columns);
/// Packs B[depth × columns], whose rows are `stride` floats apart.
void pack_panels(const float* b, std::ptrdiff_t stride, std::ptrdiff_t depth, std::ptrdiff_t columns, float* to);

/// Columns that stand in a matrix of their own.
struct ColumnBlock {
  const float* data;
  std::ptrdiff_t stride;  ///< floats between rows
  std::ptrdiff_t columns;
};
/// Packs B[depth × all columns], whose blocks of columns lie apart.
void pack_panels(std::span<const ColumnBlock> blocks, std::ptrdiff_t depth, float* to);

/// What is done with a product beside storing it, while its rows are near.
struct Finish {
  bool add = false;             ///< C keeps what it holds, and the product is added to it
  const float* bias = nullptr;  ///< [columns], added to every row
  bool rectify = false;         ///< at the end, max(·, 0); NaN stays
};

/// C[rows × columns] = A[rows × depth] · B for one thread, B packed. A's and C's rows are a_stride and c_stride floats apart.
///
/// Blocked after Goto and van de Geijn (2008): a panel of B stays near while strips of A pass over it, and they ask ahead for the
/// next one. A sum starts anew every 256 terms; its order depends on the depth alone, so rows and columns may be shared among
/// threads in any way.
void multiply_packed(std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t depth, const float* a, std::ptrdiff_t a_stride,
                     const float* packed_b, float* c, std::ptrdiff_t c_stride, const Finish& finish = {});

/// The same for all threads: blocks of rows are shared among them, or the panels of B where the rows are few.
void multiply_packed_parallel(std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t depth, const float* a,
                              std::ptrdiff_t a_stride, const float* packed_b, float* c, std::ptrdiff_t c_stride,
                              const Finish& finish = {});

/// Terms after which a sum starts anew.
inline constexpr std::ptrdiff_t product_block = 256;

}  // namespace attention::simd
