#include "machine/build_info.hpp"

#include <fmt/core.h>

#include <array>
#include <functional>
#include <iterator>
#include <set>
#include <sstream>
#include <string_view>

#include "machine/system_files.hpp"

#if __has_include(<xtensor/core/xtensor_config.hpp>)
#include <xtensor/core/xtensor_config.hpp>
#else
#include <xtensor/xtensor_config.hpp>
#endif

// Defined for this file alone.
#ifndef ATTENTION_FLAGS
#define ATTENTION_FLAGS "unknown"
#endif
#ifndef ATTENTION_BUILD_TYPE
#define ATTENTION_BUILD_TYPE "unknown"
#endif

#ifdef ATTENTION_HAS_OPENBLAS
// Declared here, since the cblas.h that is found may be another library's.
extern "C" {
char* openblas_get_config(void);
char* openblas_get_corename(void);
int openblas_get_parallel(void);
}
#endif

namespace attention::machine {

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "unknown";
#endif
}

std::string flags() { return ATTENTION_FLAGS; }

std::string build_type() { return ATTENTION_BUILD_TYPE; }

std::string compiled_instruction_set() {
#if defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__) && defined(__FMA__)
  return "AVX2 and FMA";
#elif defined(__AVX__)
  return "AVX";
#else
  return "baseline x86-64";
#endif
}

std::string cpu_instruction_set() {
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "AVX2 and FMA";
  if (__builtin_cpu_supports("avx")) return "AVX";
  return "baseline x86-64";
}

std::vector<std::string> cpu_extensions() {
  constexpr std::array<std::string_view, 17> of_interest{
      "sse4_2",      "avx",      "avx2",     "fma",      "f16c",        "avx_vnni",
      "avx512f",     "avx512dq", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
      "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8", "hypervisor"};
  std::istringstream listed(read_field("/proc/cpuinfo", "flags", ':').value_or(""));
  const std::set<std::string, std::less<>> present{std::istream_iterator<std::string>(listed), {}};
  std::vector<std::string> found;
  for (const std::string_view name : of_interest) {
    if (present.contains(name)) found.emplace_back(name);
  }
  return found;
}

std::optional<OpenBlas> openblas() {
#ifdef ATTENTION_HAS_OPENBLAS
  constexpr std::array<std::string_view, 3> modes{"none", "pthread", "OpenMP"};
  OpenBlas found;
  std::istringstream config(openblas_get_config());  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"
  std::string name;
  config >> name >> found.version;
  found.core = openblas_get_corename();
  const int mode = openblas_get_parallel();
  found.parallel = mode >= 0 && mode <= 2 ? modes[static_cast<std::size_t>(mode)] : "unknown";
  return found;
#else
  return std::nullopt;
#endif
}

std::string xtensor_version() {
  return fmt::format("{}.{}.{}", XTENSOR_VERSION_MAJOR, XTENSOR_VERSION_MINOR, XTENSOR_VERSION_PATCH);
}

}  // namespace attention::machine
