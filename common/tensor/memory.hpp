#pragma once

#include <cstddef>

namespace attention::tensor {

/// `bytes` of memory on a boundary of 64 bytes. Throws std::bad_alloc.
///
/// From 4 MB on the boundary is that of a huge page, and the system is asked to use such (Linux does where it is allowed to):
/// a matrix whose rows lie a page apart then needs one entry of the address cache for 512 of them, and memory that is touched
/// for the first time interrupts the program once in 2 MB instead of once in 4 KB.
void* take_memory(std::size_t bytes);
/// Gives it back; `bytes` as it was asked for.
void give_memory(void* memory, std::size_t bytes) noexcept;

}  // namespace attention::tensor
