#include "machine/bandwidth.hpp"

#include <fmt/core.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>

#include "machine/affinity.hpp"
#include "machine/caches.hpp"
#include "machine/streams.hpp"
#include "machine/team.hpp"
#include "program/error.hpp"

namespace attention::machine {
namespace {

struct Variant {
  int streams;
  bool hint;  // reads: software prefetch; writes and copies: stores that go past the caches
};

constexpr std::array<Variant, 8> variants{
    {{1, false}, {2, false}, {4, false}, {8, false}, {1, true}, {2, true}, {4, true}, {8, true}}};

constexpr std::size_t granule = std::size_t{64}
                                << 10;  // window and buffer sizes are multiples: every loop fits
constexpr std::size_t largest_window = std::size_t{32} << 20;
constexpr std::size_t smallest_window = std::size_t{1} << 20;  // of one thread: 50 µs or more
constexpr std::size_t caches_covered = 8;

thread_local volatile float sink;

std::size_t whole_granules(std::size_t bytes) { return std::max(granule, bytes / granule * granule); }

float* take(std::size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw program::UserError(fmt::format(
        "memory bandwidth needs a buffer of {} MB, which the system refuses; free memory or raise its limit",
        bytes >> 20));
  }
  madvise(memory, bytes,
          MADV_HUGEPAGE);  // fewer address translations; where it is refused the pages are small
  return static_cast<float*>(memory);
}

}  // namespace

BandwidthProbe::~BandwidthProbe() { release(); }

void BandwidthProbe::release() {
  for (const Buffer& buffer : buffers_) {
    if (buffer.data != nullptr) munmap(buffer.data, buffer.bytes);
  }
  buffers_.clear();
}

std::size_t BandwidthProbe::held_bytes() const {
  std::size_t bytes = 0;
  for (const Buffer& buffer : buffers_) bytes += buffer.bytes;
  return bytes;
}

void BandwidthProbe::prepare(int threads) {
  const auto count = static_cast<std::size_t>(threads);
  const std::size_t cache_bytes = last_level_bytes(threads);
  const std::size_t affordable = (memory().available_bytes + held_bytes()) / 4;
  bytes_each_ = whole_granules(std::min(caches_covered * cache_bytes, affordable) / count);
  window_bytes_ = whole_granules(std::max(std::min(cache_bytes, largest_window) / count, smallest_window));
  // A copy takes a window to read from and one to write to.
  window_bytes_ = std::min(window_bytes_, whole_granules(bytes_each_ / 2));
  bytes_each_ = std::max(bytes_each_, 2 * window_bytes_);

  if (buffers_.size() < count) buffers_.resize(count);
  for (std::size_t thread = 0; thread < count; ++thread) {
    Buffer& buffer = buffers_[thread];
    if (buffer.bytes >= bytes_each_) continue;
    if (buffer.data != nullptr) munmap(buffer.data, buffer.bytes);
    buffer = {};
    buffer.data = take(bytes_each_);
    buffer.bytes = bytes_each_;
  }
  team_seconds(threads, [&](int thread) {
    const Buffer& buffer = buffers_[static_cast<std::size_t>(thread)];
    // A page that was never written costs a fault, and reads of it would all fetch the one page of zeros.
    if (buffer.data[0] == 0.F) write_streams(buffer.data, buffer.bytes / sizeof(float), 1, false);
  });
}

double BandwidthProbe::run(Kind kind, int threads, std::size_t variant) {
  const Variant& chosen = variants[variant];
  const std::size_t floats = window_bytes_ / sizeof(float);
  const std::size_t windows = bytes_each_ / window_bytes_;
  const std::size_t first = position_++ % windows * floats;
  const std::size_t second = position_ % windows * floats;
  if (kind == Kind::copy) ++position_;

  const double seconds = team_seconds(threads, [&](int thread) {
    float* data = buffers_[static_cast<std::size_t>(thread)].data;
    switch (kind) {
      case Kind::read:
        sink = read_streams(data + first, floats, chosen.streams, chosen.hint);
        break;
      case Kind::write:
        write_streams(data + first, floats, chosen.streams, chosen.hint);
        break;
      case Kind::copy:
        copy_streams(data + first, data + second, floats, chosen.streams, chosen.hint);
        break;
    }
  });
  const double bytes = static_cast<double>(window_bytes_) * threads * (kind == Kind::copy ? 2 : 1);
  return bytes / seconds;
}

double BandwidthProbe::measure(Kind kind, int threads, double seconds) {
  History& history = histories_[{kind, threads}];
  const double end = now_seconds() + seconds;
  // Leaves the caches as runs of this kind leave them: a first one would write into caches that hold nothing
  // to write back.
  run(kind, threads, 0);

  double best = 0;
  const auto attempt = [&](std::size_t variant) {
    const double rate = run(kind, threads, variant);
    history.best[variant] = std::max(history.best[variant], rate);
    best = std::max(best, rate);
  };
  if (history.best.empty()) {
    history.best.resize(variants.size());
    for (std::size_t variant = 0; variant < history.best.size(); ++variant) attempt(variant);
  }
  do {
    attempt(static_cast<std::size_t>(std::ranges::max_element(history.best) - history.best.begin()));
    if (now_seconds() < end) attempt(history.next++ % history.best.size());
  } while (now_seconds() < end);
  return best;
}

Bandwidth BandwidthProbe::measure(int threads, double seconds) {
  const ThreadScope scope(threads);
  prepare(threads);
  const double each = seconds / 3;
  return {measure(Kind::read, threads, each), measure(Kind::write, threads, each),
          measure(Kind::copy, threads, each)};
}

Bandwidth measure_bandwidth(int threads, double seconds) {
  BandwidthProbe probe;
  return probe.measure(threads, seconds);
}

}  // namespace attention::machine
