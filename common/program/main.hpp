#pragma once

#include <functional>

namespace attention::program {

/// Runs `body` as a program's main: settles the environment (machine::settle_environment), turns UserError
/// into one line on standard error and status 2, CheckFailed into status 1, and out-of-memory into status 2.
/// `body` returns the exit status.
int run_main(int argc, char** argv, const std::function<int()>& body);

}  // namespace attention::program
