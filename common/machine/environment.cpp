#include "machine/environment.hpp"

#include <omp.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "machine/build_info.hpp"

namespace attention::machine {
namespace {

constexpr std::array<std::string_view, 5> steering_prefixes{"OMP_", "GOMP_", "KMP_", "OPENBLAS_", "GOTO_"};

// These only print, size stacks or load a tool (the thread sanitizer's Archer).
constexpr std::array<std::string_view, 11> harmless_prefixes{
    "OMP_TOOL",      "OMP_DEBUG",    "OMP_DISPLAY", "OMP_STACKSIZE", "GOMP_DEBUG",      "GOMP_STACKSIZE",
    "KMP_STACKSIZE", "KMP_SETTINGS", "KMP_VERSION", "KMP_WARNINGS",  "OPENBLAS_VERBOSE"};

// Holds the process number, which exec keeps and a child does not: who reads his own number has been started
// again.
constexpr const char* restarted_marker = "ATTENTION_RESTARTED";

// Which kernels were asked for; a program that this one starts finds the library asked already.
constexpr const char* asked_core = "ATTENTION_OPENBLAS_CORE";
constexpr const char* core_variable = "OPENBLAS_CORETYPE";

bool steers_measurement(std::string_view name) {
  const auto begins = [name](std::string_view prefix) { return name.starts_with(prefix); };
  return std::ranges::any_of(steering_prefixes, begins) && std::ranges::none_of(harmless_prefixes, begins);
}

std::vector<std::string> steering_variables() {
  std::vector<std::string> found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    if (name == core_variable && !asked_openblas_core().empty()) continue;
    if (steers_measurement(name)) found.emplace_back(name);
  }
  return found;
}

// GCC's runtime binds the first thread while it is loaded, and exec hands that binding on: give back the CPUs
// that the program was started with. LLVM's runtime binds later, so there is nothing to undo.
void undo_binding() {
#ifndef __clang__
  cpu_set_t bound;
  CPU_ZERO(&bound);
  const int started_with = omp_get_num_procs();
  if (sched_getaffinity(0, sizeof bound, &bound) != 0 || CPU_COUNT(&bound) == started_with) return;

  cpu_set_t every;
  CPU_ZERO(&every);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) CPU_SET(cpu, &every);
  if (sched_setaffinity(0, sizeof every, &every) != 0) return;
  sched_getaffinity(0, sizeof every, &every);
  if (CPU_COUNT(&every) == started_with) return;

  // The user had narrowed the set before (taskset): the places, unless he narrowed them as well, are that
  // set.
  cpu_set_t places;
  CPU_ZERO(&places);
  for (int place = 0; place < omp_get_num_places(); ++place) {
    std::vector<int> cpus(static_cast<std::size_t>(omp_get_place_num_procs(place)));
    if (!cpus.empty()) omp_get_place_proc_ids(place, cpus.data());
    for (const int cpu : cpus) CPU_SET(cpu, &places);
  }
  sched_setaffinity(0, sizeof places, CPU_COUNT(&places) > 0 ? &places : &bound);
#endif
}

}  // namespace

std::string asked_openblas_core() {
  const char* asked = std::getenv(asked_core);
  const char* set = std::getenv(core_variable);
  return asked && set && std::string_view(asked) == set ? asked : "";
}

std::string missed_openblas_core() {
  const auto library = openblas();
  if (!library || library->core != "Prescott") return {};  // what it falls back to
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return "SkylakeX";
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "Haswell" : "";
}

void settle_environment(char** argv) {
  const char* marker = std::getenv(restarted_marker);
  const bool restarted = marker != nullptr && marker == std::to_string(getpid());
  unsetenv(restarted_marker);
  const std::vector<std::string> variables = restarted ? std::vector<std::string>() : steering_variables();
  // What a variable made of it, the library may do better by itself: it is asked after the start without them.
  const std::string core = variables.empty() && std::getenv(core_variable) == nullptr ? missed_openblas_core() : "";
  if (variables.empty() && core.empty()) return;

  undo_binding();
  for (const std::string& name : variables) unsetenv(name.c_str());
  if (!core.empty()) {
    setenv(core_variable, core.c_str(), 1);
    setenv(asked_core, core.c_str(), 1);
  }
  setenv(restarted_marker, std::to_string(getpid()).c_str(), 1);
  execv("/proc/self/exe", argv);
  unsetenv(restarted_marker);
}

}  // namespace attention::machine
