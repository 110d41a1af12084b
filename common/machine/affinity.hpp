#pragma once

#include <vector>

namespace attention::machine {

/// How many threads can run at once: the CPUs that the program was started on (taskset, cpuset), or fewer
/// where a control group's quota allows less time than they have. At least 1.
int available_cpus();

/// The CPUs that the program was started on, in the order in which threads are placed: one of each core
/// first, the second hardware threads of the cores after them.
const std::vector<int>& placement();

/// From now on parallel regions run on `threads` threads, thread i pinned to placement()[i % size]. The first
/// of them is the calling thread. May be called again with more or fewer. Call it from the main thread,
/// outside of parallel regions. Threads and processes started by a pinned thread inherit its CPU: see
/// unpin_this_thread. Throws UserError where threads is below 1 or above 1024, or where the system does not
/// give that many.
void use_threads(int threads);

/// The number given to use_threads last; before that, OpenMP's own.
int threads_in_use();

/// Whether the system let use_threads pin each of the threads it was last asked for; false before the first
/// call. Where it did not, threads wander, and figures with them.
bool threads_pinned();

/// Lets the calling thread run on all CPUs that the program was started on again. For a child process,
/// between fork and exec (it only makes a system call).
void unpin_this_thread() noexcept;

/// `threads` threads for the length of a scope, and then as many as before. Errors as use_threads.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

/// Only the calling thread for the length of a scope: the others end, for idle ones spin for a while before they sleep and
/// another process may need their CPUs. Afterwards as many as before, pinned. (LLVM's runtime keeps them, asleep.)
class AloneScope {
 public:
  AloneScope();
  ~AloneScope();
  AloneScope(const AloneScope&) = delete;
  AloneScope& operator=(const AloneScope&) = delete;

 private:
  int before_;
};

}  // namespace attention::machine
