#include "program/main.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "machine/environment.hpp"
#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::program {
namespace {

constexpr int check_failed = 1;
constexpr int user_error = 2;

void say(std::string_view what) {
  std::fflush(stdout);
  const std::string line = fmt::format("course: {}\n", one_line(what, 2000));
  std::fputs(line.c_str(), stderr);
}

// What was printed may have gone into a file on a full disk; a buffered stream tells only when it is flushed.
void flush_output() {
  std::cout.flush();
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if (flushed && std::ferror(stdout) == 0 && std::cout.good()) return;
  // Where an earlier write failed, its reason is gone by now.
  const std::string reason = error == 0 ? "the disk may be full" : std::generic_category().message(error);
  throw UserError(
      fmt::format("cannot write to standard output: {}; free some space or write elsewhere", reason));
}

}  // namespace

int run_main(int /*argc*/, char** argv, const std::function<int()>& body) {
  // A file-size limit shall make write() fail, which is then reported, instead of killing the program.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    machine::settle_environment(argv);
    const int status = body();
    flush_output();
    return status;
  } catch (const UserError& error) {
    say(error.what());
    return user_error;
  } catch (const CheckFailed& error) {
    say(error.what());
    return check_failed;
  } catch (const std::bad_alloc&) {
    say("not enough memory; choose a smaller problem or close other programs");
    return user_error;
  } catch (const std::length_error&) {  // a container asked for more than an address space
    say("not enough memory; choose a smaller problem");
    return user_error;
  } catch (const std::filesystem::filesystem_error& error) {
    say(error.what());
    return user_error;
  } catch (const std::exception& error) {
    say(fmt::format("a fault in the program itself: {}", error.what()));
    return check_failed;
  }
}

}  // namespace attention::program
