#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace attention::program {

/// One line on standard error that tells how far a long piece of work is, redrawn in place at most ten times
/// a second and erased at the end. Silent where standard error is not a terminal. Any thread may call step().
class Progress {
 public:
  /// `total` steps are to come; with 0 their number is not known and only the title and the count are shown.
  explicit Progress(std::string title, std::int64_t total = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `count` more steps are done.
  void step(std::int64_t count = 1);

  /// What is being done now, shown behind the count ("tiled, 2 threads").
  void note(std::string text);

  /// Erases the line; the work goes on and the next step draws it again. For messages printed in between.
  void clear();

 private:
  void draw();

  const std::string title_;
  const std::int64_t total_;
  const bool shown_;
  const std::chrono::steady_clock::time_point start_;
  std::atomic<std::int64_t> done_{0};
  std::mutex mutex_;
  std::string note_;
  std::chrono::steady_clock::time_point last_drawn_{};
  bool on_screen_ = false;
};

}  // namespace attention::program
