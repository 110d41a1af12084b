#pragma once

namespace attention::exercise {

/// Says, once for each block, whether something was written next to a block of memory instead of into it. Null where
/// the program is linked without guarded_new.cpp.
using MemoryGuard = bool (*)();
inline MemoryGuard memory_damaged = nullptr;

}  // namespace attention::exercise
