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

/// Floats of scratch memory that one call of multiply_packed takes.
std::ptrdiff_t product_scratch(std::ptrdiff_t depth);

/// C[rows × columns] = A[rows × depth] · B for one thread, B packed. A's and C's rows are a_stride and c_stride floats apart.
///
/// Blocked after Goto and van de Geijn (2008): a panel of B stays near while strips of A, copied together so that their rows do
/// not fight for the same cache lines, pass over it. Where A has few rows, reading B takes the time: it is asked for ahead.
/// A sum starts anew every 256 terms; its order depends on the depth alone, so rows and columns may be shared among threads in
/// any way.
void multiply_packed(std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t depth, const float* a, std::ptrdiff_t a_stride,
                     const float* packed_b, float* c, std::ptrdiff_t c_stride, float* scratch);

/// The same for all threads: blocks of rows are shared among them, or the panels of B where the rows are few.
void multiply_packed_parallel(std::ptrdiff_t rows, std::ptrdiff_t columns, std::ptrdiff_t depth, const float* a,
                              std::ptrdiff_t a_stride, const float* packed_b, float* c, std::ptrdiff_t c_stride);

/// Bytes of scratch memory of multiply_packed_parallel with the number of threads now in use.
std::size_t parallel_product_workspace(std::ptrdiff_t depth);

/// Terms after which a sum starts anew.
inline constexpr std::ptrdiff_t product_block = 256;

}  // namespace attention::simd
