#pragma once

#include <chrono>

namespace attention::machine {

/// Seconds of a clock that never goes back; only differences mean something.
inline double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace attention::machine
