#include <omp.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "machine/affinity.hpp"
#include "machine/bandwidth.hpp"
#include "machine/build_info.hpp"
#include "machine/caches.hpp"
#include "machine/clock.hpp"
#include "machine/description.hpp"
#include "machine/environment.hpp"
#include "machine/fma_peak.hpp"
#include "machine/function_rates.hpp"
#include "machine/roofs.hpp"
#include "machine/system_files.hpp"
#include "program/error.hpp"

namespace {

using namespace attention;
using namespace attention::machine;

// The CPUs on which each thread of a parallel region may run.
std::vector<std::vector<int>> cpus_of_threads() {
  std::vector<std::vector<int>> found(static_cast<std::size_t>(omp_get_max_threads()));
#pragma omp parallel
  {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &set)) found[static_cast<std::size_t>(omp_get_thread_num())].push_back(cpu);
    }
  }
  return found;
}

// Float32 operations per second of one chain of scalar multiply-adds: each waits for the one before.
double scalar_chain_rate() {
  constexpr long steps = 200'000;
  volatile float source = 0.999F;
  const float factor = source;
  float value = 1.F;
  const double start = now_seconds();
  for (long step = 0; step < steps; ++step) value = value * factor + 0.001F;
  source = value;
  return 2. * steps / (now_seconds() - start);
}

bool positive(const RoofValues& values) {
  return std::ranges::all_of(roof_fields, [&](const RoofField& field) { return values.*field.value > 0; });
}

}  // namespace

TEST_CASE("caches and memory are known and plausible", "[machine]") {
  const Caches& found = caches();
  CHECK(found.l1d.bytes >= 8 << 10);
  CHECK(found.l1d.line_bytes >= 16);
  CHECK(found.l2.bytes >= found.l1d.bytes);
  CHECK(found.last_level_bytes() >= found.l2.bytes);
  CHECK(last_level_bytes(1) == found.last_level_bytes());
  CHECK(last_level_bytes(available_cpus()) >= last_level_bytes(1));

  const Memory now = memory();
  CHECK(now.available_bytes > 0);
  CHECK(now.total_bytes >= now.available_bytes);
}

TEST_CASE("lists of CPUs are read as the kernel writes them", "[machine]") {
  CHECK(parse_cpu_list("0") == std::vector<int>{0});
  CHECK(parse_cpu_list("0-2,5,7-8") == std::vector<int>{0, 1, 2, 5, 7, 8});
  CHECK(parse_cpu_list("").empty());
}

TEST_CASE("use_threads pins every thread, with more and with fewer", "[machine]") {
  const int before = threads_in_use();
  const std::vector<int>& cpus = placement();
  CHECK(available_cpus() >= 1);
  CHECK(available_cpus() <= static_cast<int>(cpus.size()));
  CHECK(std::set<int>(cpus.begin(), cpus.end()).size() == cpus.size());

  for (const int threads : {1, 2, 5, 1, 3, 2}) {
    use_threads(threads);
    CHECK(threads_in_use() == threads);
    CHECK(threads_pinned());
    const auto found = cpus_of_threads();
    REQUIRE(found.size() == static_cast<std::size_t>(threads));
    for (std::size_t thread = 0; thread < found.size(); ++thread) {
      CHECK(found[thread] == std::vector<int>{cpus[thread % cpus.size()]});
    }
  }
  {
    const ThreadScope scope(4);
    CHECK(threads_in_use() == 4);
  }
  CHECK(threads_in_use() == 2);

  unpin_this_thread();
  CHECK(cpus_of_threads().front().size() == cpus.size());
  use_threads(before);
}

#ifndef __clang__  // LLVM's runtime keeps its threads
TEST_CASE("the calling thread is alone for a scope, and its team is pinned again after it", "[machine]") {
  const auto threads_now = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), std::filesystem::directory_iterator());
  };
  const ThreadScope three(3);
  const auto before = threads_now();
  {
    const AloneScope alone;
    // A thread that ends is listed for a moment longer.
    for (int patience = 0; patience < 1000 && threads_now() != before - 2; ++patience) usleep(1000);
    CHECK(threads_now() == before - 2);
  }
  CHECK(threads_now() == before);
  CHECK(threads_in_use() == 3);
  for (const std::vector<int>& cpus : cpus_of_threads()) CHECK(cpus.size() == 1);
}
#endif

TEST_CASE("use_threads refuses numbers that make no sense", "[machine]") {
  const int before = threads_in_use();
  for (const int threads : {0, -1, 1025, 1'000'000'000})
    CHECK_THROWS_AS(use_threads(threads), program::UserError);
  CHECK_THROWS_AS(measure_fma_peak(0), program::UserError);
  CHECK(threads_in_use() == before);
}

TEST_CASE("the measured peak stands still and is above a real loop", "[machine][timing]") {
  const double first = measure_fma_peak(1, 0.03);
  const double second = measure_fma_peak(1, 0.03);
  CHECK(first > 1e8);
  CHECK(first < 1e13);  // no core does that
  CHECK(first < 3 * second);
  CHECK(second < 3 * first);
  CHECK(scalar_chain_rate() < std::max(first, second));
  CHECK(measure_exp_rate(1) < std::max(first, second));  // a 2^x takes many operations
  CHECK(measure_reciprocal_rate(1) < std::max(first, second));
}

TEST_CASE("bandwidth is measured over buffers larger than the caches, and they are given back", "[machine][timing]") {
  BandwidthProbe probe;
  CHECK(probe.held_bytes() == 0);
  const Bandwidth first = probe.measure(1, 0.02);
  CHECK(probe.held_bytes() >= std::min(8 * last_level_bytes(1) * 99 / 100, memory().available_bytes / 5));
  const std::size_t held = probe.held_bytes();
  const Bandwidth second = probe.measure(1, 0.02);
  CHECK(probe.held_bytes() == held);
  for (const Bandwidth& one : {first, second}) {
    CHECK(one.read > 1e7);
    CHECK(one.write > 1e7);
    CHECK(one.copy > 1e7);
    CHECK(one.read < 2e12);
  }
  probe.release();
  CHECK(probe.held_bytes() == 0);
  CHECK(probe.measure(2, 0.01).read > 0);
}

TEST_CASE("roofs only rise within a run, and leave the threads alone", "[machine]") {
  const ThreadScope scope(2);
  Roofs roofs;
  CHECK(roofs.measurements(1) == 0);
  const RoofValues first = roofs.values(1);
  CHECK(positive(first));
  CHECK(roofs.measurements(1) == 1);
  roofs.refresh(1);
  CHECK(roofs.measurements(1) == 2);
  for (const RoofField& field : roof_fields) {
    CHECK(roofs.values(1).*field.value >= first.*field.value);
    CHECK(roofs.values(1).*field.value >= roofs.median(1).*field.value);
    CHECK(roofs.spread(1).*field.value >= 0);
  }
  CHECK(threads_in_use() == 2);
  CHECK(roofs.thread_counts() == std::vector<int>{1});

  const auto described = describe_roofs(roofs);
  REQUIRE(described.size() == 1);
  CHECK(described[0].at("threads") == 1);
  CHECK(described[0].at("fma").at("best").get<double>() == roofs.values(1).fma);
}

TEST_CASE("a description has every key, and no name of host or user", "[machine]") {
  const auto it = describe();
  for (const char* key :
       {"cpu", "extensions", "cpus_available", "caches", "memory_bytes", "operating_system", "kernel",
        "compiler", "flags", "build_type", "instruction_set", "openblas", "xtensor", "date"}) {
    CHECK(it.contains(key));
  }
  CHECK(it.at("caches").at("l1d").at("bytes").get<std::size_t>() == caches().l1d.bytes);
  const std::string date = it.at("date");
  CHECK(date.size() == std::string("2000-01-01T00:00:00Z").size());
  CHECK(date.back() == 'Z');

  // Whole values: a host that is called "x" would be found in any text.
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  const char* user = std::getenv("USER");
  const auto flat = it.flatten();
  for (const auto& [path, value] : flat.items()) {
    CHECK(path.find("host") == std::string::npos);
    CHECK(path.find("user") == std::string::npos);
    if (!value.is_string()) continue;
    CHECK(value.get<std::string>() != host.data());
    if (user != nullptr) CHECK(value.get<std::string>() != user);
    if (std::string(host.data()).size() >= 6)
      CHECK(value.get<std::string>().find(host.data()) == std::string::npos);
  }
}

TEST_CASE("a settled environment is left as it is", "[machine]") {
  // A child, since a fault here would start the tests again.
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    setenv("OPENBLAS_VERBOSE", "0", 1);
    setenv("OMP_DISPLAY_ENV", "false", 1);
    for (const char* name :
         {"OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_PLACES", "OMP_SCHEDULE", "OPENBLAS_CORETYPE"}) {
      unsetenv(name);
    }
    if (const std::string core = missed_openblas_core(); !core.empty())
      for (const char* name : {"OPENBLAS_CORETYPE", "ATTENTION_OPENBLAS_CORE"}) setenv(name, core.c_str(), 1);
    std::array<char, 8> program{"nothing"};
    std::array<char*, 2> arguments{program.data(), nullptr};
    settle_environment(arguments.data());
    _exit(std::getenv("OPENBLAS_VERBOSE") != nullptr && std::getenv("ATTENTION_RESTARTED") == nullptr ? 0
                                                                                                      : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("only the kernels that this project asked for count as asked", "[machine]") {
  if (!openblas()) return;
  const std::string core = missed_openblas_core();
  CHECK((core.empty() || core == "SkylakeX" || core == "Haswell"));
  CHECK(asked_openblas_core().empty());
  setenv("OPENBLAS_CORETYPE", "Haswell", 1);
  CHECK(asked_openblas_core().empty());
  setenv("ATTENTION_OPENBLAS_CORE", "Haswell", 1);
  CHECK(asked_openblas_core() == "Haswell");
  unsetenv("ATTENTION_OPENBLAS_CORE");
  unsetenv("OPENBLAS_CORETYPE");
}
