#include "program/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "program/terminal.hpp"
#include "program/text.hpp"

namespace attention::program {
namespace {

using Clock = std::chrono::steady_clock;

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  return whole < 60 ? fmt::format("{} s", whole) : fmt::format("{} min {:02} s", whole / 60, whole % 60);
}

}  // namespace

Progress::Progress(std::string title, std::int64_t total)
    : title_(std::move(title)), total_(total), shown_(is_terminal(Stream::error)), start_(Clock::now()) {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  draw();
}

Progress::~Progress() { clear(); }

void Progress::step(std::int64_t count) {
  done_ += count;
  if (!shown_) return;
  // A thread that finds another one drawing does not wait for it.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock() && Clock::now() - last_drawn_ >= std::chrono::milliseconds(100)) draw();
}

void Progress::note(std::string text) {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  note_ = std::move(text);
  draw();
}

void Progress::clear() {
  if (!shown_) return;
  const std::lock_guard lock(mutex_);
  if (!on_screen_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  on_screen_ = false;
}

void Progress::draw() {
  last_drawn_ = Clock::now();
  const std::int64_t done = done_;
  std::string line = title_;
  if (total_ > 0) {
    line += fmt::format("  {} of {} ({} %)", done, total_, 100 * std::min(done, total_) / total_);
    const double elapsed = std::chrono::duration<double>(last_drawn_ - start_).count();
    if (done > 0 && done < total_ && elapsed > 2) {
      line += fmt::format(", {} left",
                          duration(elapsed * static_cast<double>(total_ - done) / static_cast<double>(done)));
    }
  } else if (done > 0) {
    line += fmt::format("  {}", done);
  }
  if (!note_.empty()) line += "  " + note_;
  // One column is left free: a full line would wrap, and the carriage return would then reach only its second
  // half.
  line = fmt::format("\r{}\033[K", fit(one_line(line), terminal_width(Stream::error) - 1));
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  on_screen_ = true;
}

}  // namespace attention::program
