// Memory with a margin on both sides of every block, filled with a pattern: a rung that writes next to its arrays is
// found out without a sanitizer, and does no harm. For programs that check exercises; linked in, it takes the place of
// operator new.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

#include "exercise/guard.hpp"

namespace {

constexpr std::size_t margin = 64;
constexpr unsigned char pattern = 0xA5;

/// Stands before the margin of each block; blocks in use form a ring.
struct alignas(64) Head {
  Head* previous;
  Head* next;
  std::size_t size;
  void* memory;  ///< what the block was taken from
  bool reported;
};

constinit Head ring{&ring, &ring, 0, nullptr, true};
constinit std::atomic_flag busy = ATOMIC_FLAG_INIT;
constinit std::atomic<bool> damaged_when_freed{false};

struct Lock {
  Lock() {
    while (busy.test_and_set(std::memory_order_acquire)) {
    }
  }
  ~Lock() { busy.clear(std::memory_order_release); }
};

unsigned char* user_part(Head* head) { return reinterpret_cast<unsigned char*>(head + 1) + margin; }
Head* head_of(void* memory) { return reinterpret_cast<Head*>(static_cast<unsigned char*>(memory) - margin) - 1; }

bool intact(Head* head) {
  const unsigned char* user = user_part(head);
  for (std::size_t i = 1; i <= margin; ++i)
    if (user[-static_cast<std::ptrdiff_t>(i)] != pattern || user[head->size + i - 1] != pattern) return false;
  return true;
}

/// `boundary` is a power of two; large memory asks for that of a huge page.
void* allocate(std::size_t size, std::size_t boundary = 64) {
  boundary = std::max<std::size_t>(boundary, 64);
  // Head and margin end where the first boundary behind them is.
  const std::size_t before = std::max(boundary, sizeof(Head) + margin);
  const std::size_t all = (before + size + margin + boundary - 1) / boundary * boundary;
  void* memory = all < size ? nullptr : std::aligned_alloc(boundary, all);
  if (!memory) throw std::bad_alloc();
  auto* head = new (static_cast<unsigned char*>(memory) + before - margin - sizeof(Head)) Head{nullptr, nullptr, size, memory, false};
  std::memset(user_part(head) - margin, pattern, margin);
  std::memset(user_part(head) + size, pattern, margin);
  const Lock lock;
  head->previous = &ring;
  head->next = ring.next;
  head->next->previous = head;
  ring.next = head;
  return user_part(head);
}

void release(void* memory) noexcept {
  if (!memory) return;
  Head* head = head_of(memory);
  if (!head->reported && !intact(head)) damaged_when_freed = true;
  {
    const Lock lock;
    head->previous->next = head->next;
    head->next->previous = head->previous;
  }
  std::free(head->memory);
}

bool damaged() {
  bool found = damaged_when_freed.exchange(false);
  const Lock lock;
  for (Head* head = ring.next; head != &ring; head = head->next)
    if (!head->reported && !intact(head)) found = head->reported = true;
  return found;
}

[[maybe_unused]] const bool registered = [] {
  attention::exercise::memory_damaged = damaged;
  return true;
}();

}  // namespace

// The standard library's other forms call these.
void* operator new(std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t boundary) { return allocate(size, static_cast<std::size_t>(boundary)); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
