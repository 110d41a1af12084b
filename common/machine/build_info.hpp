#pragma once

#include <optional>
#include <string>
#include <vector>

namespace attention::machine {

/// The compiler and its version: "g++ 12.2.0", "clang 14.0.6".
std::string compiler();

/// The flags that the measured code was compiled with, warnings left out; "unknown" outside of the project's
/// build.
std::string flags();

/// CMake's build type: "Release", "Debug"; "unknown" outside of the project's build.
std::string build_type();

/// The widest vectors that the code was compiled for: "AVX-512", "AVX2 and FMA", "AVX" or "baseline x86-64".
std::string compiled_instruction_set();

/// The same for the CPU that runs it, by the same names.
std::string cpu_instruction_set();

/// The CPU's extensions that bear on this project's kernels, by the names of /proc/cpuinfo ("avx512f", "fma"
/// …).
std::vector<std::string> cpu_extensions();

struct OpenBlas {
  std::string version;   ///< "0.3.21"
  std::string core;      ///< the kernels that it computes with: "SkylakeX"
  std::string parallel;  ///< "OpenMP", "pthread" or "none"
};

/// The OpenBLAS that is linked; nothing where none is.
std::optional<OpenBlas> openblas();

/// xtensor's version: "0.24.3".
std::string xtensor_version();

}  // namespace attention::machine
