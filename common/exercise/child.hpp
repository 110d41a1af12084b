#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace attention::exercise {

/// How a piece of work in a process of its own ended.
struct ChildEnd {
  enum class Kind {
    done,    ///< `answer` holds what it gave
    signal,  ///< ended by signal `code`: a crash
    status,  ///< ended by itself with status `code` and no answer
    stalled  ///< did not go on for too long, and was stopped
  };
  Kind kind = Kind::done;
  int code = 0;
  std::string answer;
  std::string doing;   ///< what it was at when it ended
  std::string errors;  ///< what it wrote to standard error
};

/// Tells the parent what is being done.
using Doing = std::function<void(std::string_view)>;

/// Does `work` in a child process, which is stopped where it computes for `patience_s` seconds, by all its threads, or waits for ten
/// times as long, without saying what it is doing.
/// The caller must not have started threads: they would be missing in the child. Throws UserError where there is no
/// process to be had.
ChildEnd in_child(const std::function<std::string(const Doing&)>& work, double patience_s);

}  // namespace attention::exercise
