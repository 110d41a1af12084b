#include "machine/affinity.hpp"

#include <fmt/core.h>
#include <omp.h>
#include <sched.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>

#include "machine/system_files.hpp"
#include "program/error.hpp"

namespace attention::machine {
namespace {

constexpr int largest_thread_count = 1024;

cpu_set_t current_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) == 0) CPU_SET(0, &set);
  return set;
}

// Taken before main, hence before any thread is pinned.
const cpu_set_t started_on = current_cpus();
int chosen_threads = 0;
bool all_pinned = false;

std::vector<int> find_placement() {
  std::vector<int> firsts;
  std::vector<int> seconds;
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &started_on)) continue;
    const auto siblings =
        read_line(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    const bool new_core = !siblings || cores.insert(*siblings).second;
    (new_core ? firsts : seconds).push_back(cpu);
  }
  firsts.insert(firsts.end(), seconds.begin(), seconds.end());
  return firsts;
}

// CPUs' worth of time that control groups grant; `otherwise` where they set no limit.
double granted_cpus(double otherwise) {
  double granted = otherwise;
  for (const auto& folder : control_group_folders("cpu")) {
    long long quota = 0;
    long long period = 0;
    if (const auto both = read_line(folder / "cpu.max")) {  // version 2: "200000 100000" or "max 100000"
      const auto space = both->find(' ');
      quota = read_number(folder / "cpu.max").value_or(0);
      if (quota > 0 && space != std::string::npos) period = std::stoll(both->substr(space + 1));
    } else {
      quota = read_number(folder / "cpu.cfs_quota_us").value_or(0);
      period = read_number(folder / "cpu.cfs_period_us").value_or(0);
    }
    if (quota > 0 && period > 0)
      granted = std::min(granted, static_cast<double>(quota) / static_cast<double>(period));
  }
  return granted;
}

// False where the system refuses: then it is measured unpinned.
bool pin_this_thread(int cpu) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  return sched_setaffinity(0, sizeof one, &one) == 0;
}

void restore_threads(int threads) noexcept {
  try {
    use_threads(threads);
  } catch (const program::UserError&) {  // as many threads ran before; a destructor has no one to tell
  }
}

}  // namespace

const std::vector<int>& placement() {
  static const std::vector<int> cpus = find_placement();
  return cpus;
}

int available_cpus() {
  static const int cpus = [] {
    const auto allowed = static_cast<double>(placement().size());
    return std::max(1, static_cast<int>(std::min(allowed, granted_cpus(allowed))));
  }();
  return cpus;
}

void use_threads(int threads) {
  if (threads < 1 || threads > largest_thread_count) {
    throw program::UserError(
        fmt::format("threads is {}; give a number from 1 to {} (this machine has {} CPUs)", threads,
                    largest_thread_count, available_cpus()));
  }
  const std::vector<int>& cpus = placement();
  omp_set_dynamic(0);
  omp_set_num_threads(threads);
  int started = 0;
  int pinned = 0;
#pragma omp parallel reduction(+ : pinned)
  {
    pinned = pin_this_thread(cpus[static_cast<std::size_t>(omp_get_thread_num()) % cpus.size()]) ? 1 : 0;
#pragma omp single
    started = omp_get_num_threads();
  }
  if (started != threads) {
    throw program::UserError(
        fmt::format("threads is {}, but the system gives only {}; ask for fewer", threads, started));
  }
  chosen_threads = threads;
  all_pinned = pinned == threads;
}

int threads_in_use() { return chosen_threads > 0 ? chosen_threads : omp_get_max_threads(); }

bool threads_pinned() { return all_pinned; }

void unpin_this_thread() noexcept { sched_setaffinity(0, sizeof started_on, &started_on); }

ThreadScope::ThreadScope(int threads) : before_(threads_in_use()) { use_threads(threads); }

ThreadScope::~ThreadScope() { restore_threads(before_); }

// A parallel region of one thread would leave the others waiting.
AloneScope::AloneScope() : before_(threads_in_use()) { omp_pause_resource(omp_pause_soft, omp_get_initial_device()); }

AloneScope::~AloneScope() { restore_threads(before_); }

}  // namespace attention::machine
