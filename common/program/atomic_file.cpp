#include "program/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>

#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::program {
namespace {

namespace fs = std::filesystem;

// ---- Temporary files that a signal must remove
// -----------------------------------------------------------------------

struct PendingName {
  std::atomic<bool> taken{false};
  std::atomic<bool> on_disk{false};
  std::array<char, PATH_MAX> path{};
};

// Fixed storage: a signal handler may not allocate.
std::array<PendingName, 16> pending_names;
constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP};

void remove_pending_and_end(int signal_number) {
  for (PendingName& name : pending_names) {
    if (name.on_disk.load()) ::unlink(name.path.data());
  }
  // SA_RESETHAND has restored the default action; the signal arrives again when this handler returns.
  ::raise(signal_number);
}

// Called for each file: whoever sets a signal back to its default meanwhile is served again.
void watch_signals() {
  for (int signal_number : ending_signals) {
    struct sigaction current {};
    // Whoever ignores the signal (nohup) or handles it himself keeps his way.
    if (::sigaction(signal_number, nullptr, &current) != 0) continue;
    if ((current.sa_flags & SA_SIGINFO) != 0 || current.sa_handler != SIG_DFL) continue;
    struct sigaction ours {};
    ours.sa_handler = remove_pending_and_end;
    ours.sa_flags = static_cast<int>(SA_RESETHAND);
    sigemptyset(&ours.sa_mask);
    ::sigaction(signal_number, &ours, nullptr);
  }
}

// Holds the ending signals back while a file and its entry in pending_names come or go together.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (int signal_number : ending_signals) sigaddset(&held, signal_number);
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

PendingName* take_pending_name(const std::string& path) {
  if (path.size() >= PATH_MAX) return nullptr;
  for (PendingName& name : pending_names) {
    if (name.taken.exchange(true)) continue;
    std::memcpy(name.path.data(), path.c_str(), path.size() + 1);
    return &name;
  }
  return nullptr;  // more than 16 files at once: written all the same, only not removed by a signal
}

// ---- Writing
// ---------------------------------------------------------------------------------------------------------

std::string_view advice(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "free some space or choose another folder";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that you may write to";
    case ENOENT:
    case ENOTDIR:
      return "its folder is not there; make it or choose another";
    case EISDIR:
      return "choose another name";
    default:
      return "choose another folder";
  }
}

[[noreturn]] void fail(const fs::path& file, int error) {
  throw UserError(fmt::format("cannot write {}: {}; {}", one_line(file.string()),
                              std::generic_category().message(error), advice(error)));
}

// 0, or the errno of the first failure.
int write_all(int descriptor, std::span<const std::string_view> pieces) {
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      // Linux writes at most 2 GiB at once.
      const ssize_t written =
          ::write(descriptor, piece.data(), std::min<std::size_t>(piece.size(), 1U << 30));
      if (written < 0) {
        if (errno == EINTR) continue;
        return errno;
      }
      piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  return 0;
}

// A file system without fsync (some mounted folders) says EINVAL; the rename is then still whole-or-nothing.
int flush_to_disk(int descriptor) {
  while (::fsync(descriptor) != 0) {
    if (errno == EINTR) continue;
    return errno == EINVAL || errno == ENOTSUP ? 0 : errno;
  }
  return 0;
}

int open_retrying(const fs::path& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

void write_directly(const fs::path& file, std::span<const std::string_view> pieces) {
  const int descriptor = open_retrying(file, O_WRONLY);
  if (descriptor < 0) fail(file, errno);
  int error = write_all(descriptor, pieces);
  if (::close(descriptor) != 0 && error == 0 && errno != EINTR) error = errno;
  if (error != 0) fail(file, error);
}

// The temporary file, from its making to its renaming; removed where it is not renamed.
class TemporaryFile {
 public:
  /// `file` is the final name; its folder takes the temporary one.
  explicit TemporaryFile(const fs::path& file) : file_(file) {
    watch_signals();
    const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    const SignalsHeld held;
    // A process that was killed may have left its name behind, and process numbers come again: then the next
    // name.
    for (int attempt = 0; descriptor_ < 0; ++attempt) {
      path_ = folder / fmt::format(".{}.tmp.{}{}", file.filename().string(), ::getpid(),
                                   attempt == 0 ? "" : fmt::format(".{}", attempt));
      descriptor_ = open_retrying(path_, O_WRONLY | O_CREAT | O_EXCL);
      if (descriptor_ < 0 && (errno != EEXIST || attempt == 99)) fail(file_, errno);
    }
    pending_ = take_pending_name(path_.string());
    if (pending_ != nullptr) pending_->on_disk.store(true);
  }

  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    const SignalsHeld held;
    if (!renamed_) ::unlink(path_.c_str());
    forget();
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  void write(std::span<const std::string_view> pieces) {
    int error = write_all(descriptor_, pieces);
    if (error == 0) error = flush_to_disk(descriptor_);
    // A quota or a network file system may speak only now.
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0 && error == 0 && errno != EINTR) error = errno;
    if (error != 0) fail(file_, error);
  }

  void rename() {
    const SignalsHeld held;
    if (::rename(path_.c_str(), file_.c_str()) != 0) fail(file_, errno);
    renamed_ = true;
    forget();
  }

 private:
  void forget() {
    if (pending_ == nullptr) return;
    pending_->on_disk.store(false);
    pending_->taken.store(false);
    pending_ = nullptr;
  }

  fs::path file_;
  fs::path path_;
  int descriptor_ = -1;
  bool renamed_ = false;
  PendingName* pending_ = nullptr;
};

void flush_folder(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const int descriptor = open_retrying(folder, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return;  // the file is written; only how soon its name is on the disk is open
  flush_to_disk(descriptor);
  ::close(descriptor);
}

}  // namespace

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder, error) && !error)
    error = std::make_error_code(std::errc::not_a_directory);
  if (error) {
    throw UserError(fmt::format("cannot make the folder {}: {}; choose another folder",
                                one_line(folder.string()), error.message()));
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw UserError(fmt::format("cannot write to the folder {}: {}; choose another folder",
                                one_line(folder.string()), std::generic_category().message(errno)));
  }
}

void require_writable(const fs::path& file) {
  if (!file.has_filename() || fs::is_directory(file)) fail(file, EISDIR);
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail(file, errno);
}

void write_file(const fs::path& file, std::string_view content) {
  write_file(file, std::span<const std::string_view>(&content, 1));
}

void write_file(const fs::path& file, std::span<const std::string_view> pieces) {
  if (!file.has_filename()) fail(file, EISDIR);
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (fs::is_directory(status)) fail(file, EISDIR);
  if (fs::exists(status) && !fs::is_regular_file(status)) return write_directly(file, pieces);

  // Through a link, the file that it points to is written, and the link stays.
  const fs::path target = fs::exists(status) ? fs::canonical(file, error) : file;
  const fs::path& destination = error && fs::exists(status) ? file : target;
  TemporaryFile temporary(destination);
  temporary.write(pieces);
  temporary.rename();
  flush_folder(destination);
}

}  // namespace attention::program
