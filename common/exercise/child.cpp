#include "exercise/child.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "program/error.hpp"

namespace attention::exercise {

namespace {

using Clock = std::chrono::steady_clock;

/// On a machine with much else to do, a second of computing may take so many seconds.
constexpr double crowded = 10;

/// What parent and child share: a crash must not take along what was being done.
struct Board {
  std::atomic<unsigned> changes{0};
  char doing[500] = {};
};

[[noreturn]] void no_process() {
  throw program::UserError("no process can be started for the check; close other programs and try again");
}

[[noreturn]] void be_the_child(const std::function<std::string(const Doing&)>& work, Board& board, int answer_to,
                               int errors_to) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A crash shall end the child, whatever the parent does with it.
  for (const int signal_number : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTERM}) signal(signal_number, SIG_DFL);
  dup2(errors_to, STDERR_FILENO);
  const std::string answer = work([&board](std::string_view text) {
    const std::size_t length = std::min(text.size(), sizeof board.doing - 1);
    std::memcpy(board.doing, text.data(), length);
    board.doing[length] = 0;
    board.changes.fetch_add(1);
  });
  std::fflush(stdout);
  for (std::size_t written = 0; written < answer.size();) {
    const ssize_t n = write(answer_to, answer.data() + written, answer.size() - written);
    if (n <= 0) _exit(1);
    written += static_cast<std::size_t>(n);
  }
  // No destructors: the threads of OpenMP may still be waiting.
  _exit(0);
}

/// Seconds that all threads of the process have computed; 0 where the system does not say.
double computed_seconds(pid_t process) {
  clockid_t clock;
  timespec spent{};
  if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &spent) != 0) return 0;
  return static_cast<double>(spent.tv_sec) + 1e-9 * static_cast<double>(spent.tv_nsec);
}

/// Reads what has come; false at the end.
bool take(int from, std::string& to) {
  char buffer[4096];
  const ssize_t n = read(from, buffer, sizeof buffer);
  if (n > 0 && to.size() < (1U << 20)) to.append(buffer, static_cast<std::size_t>(n));
  return n > 0;
}

}  // namespace

ChildEnd in_child(const std::function<std::string(const Doing&)>& work, double patience_s) {
  void* shared = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int answer[2], errors[2];
  if (shared == MAP_FAILED || pipe(answer) != 0 || pipe(errors) != 0) no_process();
  auto& board = *new (shared) Board;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) no_process();
  if (child == 0) {
    close(answer[0]);
    close(errors[0]);
    be_the_child(work, board, answer[1], errors[1]);
  }
  close(answer[1]);
  close(errors[1]);

  ChildEnd end;
  bool stalled = false;
  unsigned changes = board.changes;
  Clock::time_point last = Clock::now();
  double computed = computed_seconds(child);
  pollfd waited[] = {{answer[0], POLLIN, 0}, {errors[0], POLLIN, 0}};
  // The end of both pipes is the end of the child.
  while (waited[0].fd >= 0 || waited[1].fd >= 0) {
    if (poll(waited, 2, 100) > 0) {
      if (waited[0].revents != 0 && !take(answer[0], end.answer)) waited[0].fd = -1;
      if (waited[1].revents != 0 && !take(errors[0], end.errors)) waited[1].fd = -1;
    }
    if (board.changes != changes) {
      changes = board.changes;
      last = Clock::now();
      computed = computed_seconds(child);
    }
    const double waiting = std::chrono::duration<double>(Clock::now() - last).count();
    // One that computes is given the time that it gets of a busy machine; one that only waits, for what will not come, is not.
    const bool endless = computed_seconds(child) - computed > patience_s || waiting > crowded * patience_s;
    if (!stalled && endless) {
      stalled = true;
      kill(child, SIGKILL);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(answer[0]);
  close(errors[0]);
  end.doing = board.doing;
  munmap(shared, sizeof(Board));

  if (stalled) {
    end.kind = ChildEnd::Kind::stalled;
  } else if (WIFSIGNALED(status)) {
    end.kind = ChildEnd::Kind::signal;
    end.code = WTERMSIG(status);
  } else if (WEXITSTATUS(status) != 0 || end.answer.empty()) {
    end.kind = ChildEnd::Kind::status;
    end.code = WEXITSTATUS(status);
  }
  return end;
}

}  // namespace attention::exercise
