#include "machine/description.hpp"

#include <fmt/core.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string>

#include "machine/affinity.hpp"
#include "machine/build_info.hpp"
#include "machine/caches.hpp"
#include "machine/environment.hpp"
#include "machine/system_files.hpp"

namespace attention::machine {
namespace {


Json describe(const Cache& cache) {
  return {{"bytes", cache.bytes}, {"line_bytes", cache.line_bytes}, {"shared_by", cache.shared_by}};
}

std::string operating_system() {
  std::string name = read_field("/etc/os-release", "PRETTY_NAME", '=').value_or("unknown");
  std::erase(name, '"');
  return name;
}

// Not the whole of uname: it holds the host's name.
std::string kernel() {
  utsname names{};
  if (uname(&names) != 0) return "unknown";
  return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, sizeof "2000-01-01T00:00:00Z"> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

Json describe_openblas() {
  const auto library = openblas();
  if (!library) return nullptr;
  // It chooses its kernels itself, unless it does not know the processor.
  return {{"version", library->version}, {"core", library->core}, {"core_asked_for", !asked_openblas_core().empty()}, {"parallel", library->parallel}};
}

}  // namespace

Json describe() {
  const Caches& found = caches();
  return {{"cpu", read_field("/proc/cpuinfo", "model name", ':').value_or("unknown")},
          {"extensions", cpu_extensions()},
          {"cpus_available", available_cpus()},
          {"caches", {{"l1d", describe(found.l1d)}, {"l2", describe(found.l2)}, {"l3", describe(found.l3)}}},
          {"memory_bytes", memory().total_bytes},
          {"operating_system", operating_system()},
          {"kernel", kernel()},
          {"compiler", compiler()},
          {"flags", flags()},
          {"build_type", build_type()},
          {"instruction_set", {{"compiled", compiled_instruction_set()}, {"cpu", cpu_instruction_set()}}},
          {"openblas", describe_openblas()},
          {"xtensor", xtensor_version()},
          {"threads", {{"pinned", threads_pinned()}, {"cpus", placement()}}},
          {"date", date()}};
}

Json describe_roofs(Roofs& roofs) {
  Json all = Json::array();
  for (const int threads : roofs.thread_counts()) {
    Json entry{{"threads", threads}, {"measurements", roofs.measurements(threads)}};
    for (const RoofField& field : roof_fields) {
      entry[std::string(field.name)] = {{"unit", std::string(field.unit)},
                                        {"best", roofs.values(threads).*field.value},
                                        {"median", roofs.median(threads).*field.value},
                                        {"spread", roofs.spread(threads).*field.value}};
    }
    all.push_back(entry);
  }
  return all;
}

}  // namespace attention::machine
