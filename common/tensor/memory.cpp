#include "tensor/memory.hpp"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <new>

namespace attention::tensor {

namespace {

constexpr std::size_t huge_page = std::size_t{1} << 21U;

/// Smaller memory is not worth a huge page of its own, of which up to half would stay empty.
bool is_large(std::size_t bytes) { return bytes >= 2 * huge_page; }

std::align_val_t boundary(std::size_t bytes) { return std::align_val_t{is_large(bytes) ? huge_page : 64}; }

}  // namespace

void* take_memory(std::size_t bytes) {
  void* memory = ::operator new(bytes, boundary(bytes));
#if defined(MADV_HUGEPAGE)
  // Whole huge pages only: the end of the memory shares its page with others. A refusal changes nothing but the speed.
  if (is_large(bytes)) (void)madvise(memory, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
  return memory;
}

void give_memory(void* memory, std::size_t bytes) noexcept { ::operator delete(memory, boundary(bytes)); }

}  // namespace attention::tensor
