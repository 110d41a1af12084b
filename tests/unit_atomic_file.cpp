#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

#include "program/atomic_file.hpp"
#include "unit_files.hpp"

namespace {

namespace fs = std::filesystem;
using namespace attention::tests;
using attention::program::make_folder;
using attention::program::write_file;

TEST_CASE("a file is written whole, replaced whole, and nothing stays beside it", "[unit]") {
  const Scratch folder;
  write_file(folder / "a.json", "first");
  CHECK(get(folder / "a.json") == "first");
  write_file(folder / "a.json", "");
  CHECK(get(folder / "a.json").empty());
  const std::array<std::string_view, 3> pieces{"one ", "", "two"};
  write_file(folder / "a.json", pieces);
  CHECK(get(folder / "a.json") == "one two");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a temporary name left by a killed program does not stand in the way", "[unit]") {
  const Scratch folder;
  put(folder / (".a.json.tmp." + std::to_string(::getpid())), "left over");
  write_file(folder / "a.json", "new");
  CHECK(get(folder / "a.json") == "new");
}

TEST_CASE("a full disk leaves the old file and nothing else", "[unit]") {
  const Scratch folder;
  write_file(folder / "a.npy", "old");

  struct FileSizeLimit {
    rlimit before{};
    void (*handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
    FileSizeLimit() {
      ::getrlimit(RLIMIT_FSIZE, &before);
      rlimit small{64 << 10, before.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &small);
    }
    ~FileSizeLimit() {
      ::setrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, handler);
    }
  };
  const std::string large(1 << 20, 'x');
  std::string line;
  {
    const FileSizeLimit limit;
    line = refusal([&] { write_file(folder / "a.npy", large); });
  }
  CHECK(says(line, {"cannot write", "a.npy", "File too large", "free some space or choose another folder"}));
  CHECK(get(folder / "a.npy") == "old");
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a device is written to and never replaced", "[unit]") {
  struct stat before {
  }, after{};
  REQUIRE(::stat("/dev/full", &before) == 0);
  const std::string line = refusal([] { write_file("/dev/full", "text"); });
  CHECK(says(line, {"cannot write /dev/full", "No space left on device"}));
  REQUIRE(::stat("/dev/full", &after) == 0);
  CHECK(before.st_ino == after.st_ino);
  write_file("/dev/null", "text");
  CHECK(fs::is_character_file("/dev/null"));
}

TEST_CASE("through a link, the file it points to is written", "[unit]") {
  const Scratch folder;
  fs::create_directory(folder / "elsewhere");
  put(folder / "elsewhere/real.json", "old");
  fs::create_symlink(folder / "elsewhere/real.json", folder / "link.json");
  write_file(folder / "link.json", "new");
  CHECK(fs::is_symlink(folder / "link.json"));
  CHECK(get(folder / "elsewhere/real.json") == "new");
}

TEST_CASE("what cannot be written is refused in one line", "[unit]") {
  const Scratch folder;
  put(folder / "file", "text");
  CHECK(says(refusal([&] { write_file(folder.path(), "text"); }), {"cannot write", "Is a directory"}));
  CHECK(says(refusal([&] { write_file(folder.path() / "", "text"); }), {"cannot write", "Is a directory"}));
  CHECK(says(refusal([&] { write_file(folder / "no/a.json", "text"); }),
             {"no/a.json", "No such file", "make it"}));
  CHECK(
      says(refusal([&] { write_file(folder / "file/a.json", "text"); }), {"file/a.json", "Not a directory"}));
  CHECK(says(refusal([&] { write_file(folder / std::string(300, 'n'), "text"); }), {"File name too long"}));
  CHECK(says(refusal([&] { write_file(folder / "two\nlines/a.json", "text"); }), {"two\\x0alines"}));
  CHECK(says(refusal([&] { make_folder(folder / "file"); }), {"cannot make the folder", "file"}));
  CHECK(says(refusal([&] { make_folder(folder / "file/below"); }), {"cannot make the folder", "file/below"}));
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a folder that may not be written is refused", "[unit]") {
  if (::geteuid() == 0) {
    SUCCEED("root may write anywhere");
    return;
  }
  const Scratch folder;
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  CHECK(says(refusal([&] { write_file(folder / "a.json", "text"); }), {"Permission denied", "may write"}));
  CHECK(says(refusal([&] { make_folder(folder.path()); }),
             {"cannot write to the folder", "Permission denied"}));
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("make_folder makes all parents and is content with what is there", "[unit]") {
  const Scratch folder;
  make_folder(folder / "a/b/c");
  make_folder(folder / "a/b/c");
  CHECK(fs::is_directory(folder / "a/b/c"));
}

TEST_CASE("a signal that ends the program removes what is half written", "[unit]") {
  const Scratch folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The test framework has handlers of its own, which write_file would leave in place.
    std::signal(SIGTERM, SIG_DFL);
    const std::string large(8 << 20, 'x');
    for (;;) write_file(folder / "a.npy", large);
  }
  // Ended at several moments, it is at times in the middle of a file.
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  ::kill(child, SIGTERM);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
  for (const auto& entry : fs::directory_iterator(folder.path())) CHECK(entry.path().filename() == "a.npy");
}

}  // namespace
