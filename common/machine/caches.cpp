#include "machine/caches.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "machine/affinity.hpp"
#include "machine/system_files.hpp"

namespace attention::machine {
namespace {

// Where nothing is known: what a common x86-64 core has.
constexpr std::size_t usual_line_bytes = 64;
constexpr std::size_t usual_l1d_bytes = 32 << 10;
constexpr std::size_t usual_l2_bytes = 512 << 10;

std::filesystem::path cache_folder(int cpu, int index) {
  return fmt::format("/sys/devices/system/cpu/cpu{}/cache/index{}", cpu, index);
}

// "36608K" → bytes.
std::size_t parse_size(const std::string& text) {
  const auto number = static_cast<std::size_t>(std::strtoull(text.c_str(), nullptr, 10));
  if (text.ends_with('K')) return number << 10;
  if (text.ends_with('M')) return number << 20;
  return number;
}

std::size_t system_value(int name) {
  const long value = sysconf(name);
  return value > 0 ? static_cast<std::size_t>(value) : 0;
}

void fill(Cache& cache, int size_name, int line_name) {
  if (cache.bytes == 0) cache.bytes = system_value(size_name);
  if (cache.line_bytes == 0) cache.line_bytes = system_value(line_name);
}

Caches find_caches() {
  Caches found;
  const int cpu = placement().front();
  for (int index = 0; std::filesystem::exists(cache_folder(cpu, index)); ++index) {
    const auto folder = cache_folder(cpu, index);
    if (read_line(folder / "type").value_or("") == "Instruction") continue;
    const long long level = read_number(folder / "level").value_or(0);
    if (level < 1 || level > 3) continue;
    Cache& cache = level == 1 ? found.l1d : level == 2 ? found.l2 : found.l3;
    cache.bytes = parse_size(read_line(folder / "size").value_or("0"));
    cache.line_bytes = static_cast<std::size_t>(read_number(folder / "coherency_line_size").value_or(0));
    cache.shared_by =
        static_cast<int>(parse_cpu_list(read_line(folder / "shared_cpu_list").value_or("")).size());
  }
  fill(found.l1d, _SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL1_DCACHE_LINESIZE);
  fill(found.l2, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL2_CACHE_LINESIZE);
  fill(found.l3, _SC_LEVEL3_CACHE_SIZE, _SC_LEVEL3_CACHE_LINESIZE);
  if (found.l1d.bytes == 0) found.l1d.bytes = usual_l1d_bytes;
  if (found.l1d.line_bytes == 0) found.l1d.line_bytes = usual_line_bytes;
  if (found.l2.bytes == 0) found.l2.bytes = usual_l2_bytes;
  if (found.l2.line_bytes == 0) found.l2.line_bytes = found.l1d.line_bytes;
  return found;
}

// Which instance of the last level a CPU uses; its own name where the system does not say.
std::string last_level_instance(int cpu) {
  std::string instance = fmt::format("cpu {}", cpu);
  long long highest = 0;
  for (int index = 0; std::filesystem::exists(cache_folder(cpu, index)); ++index) {
    const long long level = read_number(cache_folder(cpu, index) / "level").value_or(0);
    if (level <= highest) continue;
    highest = level;
    instance = read_line(cache_folder(cpu, index) / "shared_cpu_list").value_or(instance);
  }
  return instance;
}

std::size_t kilobytes(const char* field) {
  return parse_size(read_field("/proc/meminfo", field, ':').value_or("0")) << 10;
}

}  // namespace

std::size_t Caches::last_level_bytes() const { return std::max({l1d.bytes, l2.bytes, l3.bytes}); }

const Caches& caches() {
  static const Caches found = find_caches();
  return found;
}

std::size_t last_level_bytes(int threads) {
  const auto& cpus = placement();
  const std::size_t used = std::min(cpus.size(), static_cast<std::size_t>(std::max(1, threads)));
  std::set<std::string> instances;
  for (std::size_t i = 0; i < used; ++i) instances.insert(last_level_instance(cpus[i]));
  return caches().last_level_bytes() * instances.size();
}

Memory memory() {
  std::size_t total = kilobytes("MemTotal");
  std::size_t available = kilobytes("MemAvailable");
  if (total == 0) total = system_value(_SC_PHYS_PAGES) * system_value(_SC_PAGESIZE);
  if (available == 0) available = system_value(_SC_AVPHYS_PAGES) * system_value(_SC_PAGESIZE);

  for (const auto& folder : control_group_folders("memory")) {
    auto limit = read_number(folder / "memory.max");
    auto used = read_number(folder / "memory.current");
    auto reclaimable = read_field(folder / "memory.stat", "inactive_file", ' ');
    if (!limit) {  // version 1
      limit = read_number(folder / "memory.limit_in_bytes");
      used = read_number(folder / "memory.usage_in_bytes");
      if (auto sum = read_field(folder / "memory.stat", "total_inactive_file", ' ')) reclaimable = sum;
    }
    if (!limit || *limit <= 0) continue;
    // A group counts the file cache as used, though it is given up on demand.
    const long long kept = std::max(0LL, used.value_or(0) - std::stoll(reclaimable.value_or("0")));
    total = std::min(total, static_cast<std::size_t>(*limit));
    available = std::min(available, static_cast<std::size_t>(std::max(0LL, *limit - kept)));
  }
  return {total, available};
}

}  // namespace attention::machine
