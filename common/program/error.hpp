#pragma once

#include <stdexcept>
#include <string>

namespace attention::program {

/// A mistake of the user or a fault of his input. what() is one line that says what is wrong and what to do;
/// run_main prints it and exits with status 2.
struct UserError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A check of the project's own that failed (a rung that is wrong, a broken roof): exit status 1.
struct CheckFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace attention::program
