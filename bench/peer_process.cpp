#include "peer_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "machine/affinity.hpp"
#include "machine/environment.hpp"
#include "program/error.hpp"
#include "program/text.hpp"
#include "tensor/npy.hpp"

namespace attention::bench {

namespace {

using Clock = std::chrono::steady_clock;
using ladder::PeerFault;

// What steers a library's threads or kernels, or an interpreter: no peer shall be capped by what the user has
// set for others.
constexpr std::array<std::string_view, 12> steering_prefixes{"OPENBLAS_", "GOTO_", "MKL_",   "DNNL_",
                                                             "ONEDNN_",   "OMP_",  "GOMP_",  "KMP_",
                                                             "ORT_",      "NODE_", "PYTHON", "TORCH_"};

std::vector<std::string> peer_environment(int threads) {
  std::vector<std::string> kept;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    if (std::ranges::none_of(steering_prefixes,
                             [&](std::string_view prefix) { return text.starts_with(prefix); }))
      kept.emplace_back(text);
  }
  // Threads without work sleep at once: while others are measured the peer takes no processor time.
  for (const char* entry :
       {"OMP_WAIT_POLICY=passive", "GOMP_SPINCOUNT=0", "KMP_BLOCKTIME=0", "OMP_DYNAMIC=false",
        "PYTHONNOUSERSITE=1", "PYTHONDONTWRITEBYTECODE=1", "NODE_NO_WARNINGS=1"})
    kept.emplace_back(entry);
  // Nor shall it compute with kernels for another CPU.
  if (const std::string core = machine::asked_openblas_core(); !core.empty()) kept.push_back("OPENBLAS_CORETYPE=" + core);
  kept.push_back(fmt::format("OMP_NUM_THREADS={}", threads));
  // One thread a CPU, in the order in which ours are placed.
  std::string places;
  const std::vector<int>& cpus = machine::placement();
  for (int i = 0; i < threads; ++i)
    places += fmt::format("{}{{{}}}", i == 0 ? "" : ",", cpus[static_cast<std::size_t>(i) % cpus.size()]);
  kept.push_back("OMP_PLACES=" + places);
  kept.emplace_back("OMP_PROC_BIND=true");
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

std::string last_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string last;
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) last = line;
  return program::one_line(last, 200);
}

std::string reason_of_end(int status) {
  if (WIFSIGNALED(status)) return fmt::format("it was ended by signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) == 127) return "it cannot be started";
  return fmt::format("it ended with status {}", WEXITSTATUS(status));
}

/// Positive, finite numbers; anything else is a fault of the peer.
std::vector<double> seconds_in(const Json& answer, const char* key) {
  std::vector<double> seconds;
  if (!answer.contains(key) || !answer[key].is_array())
    throw PeerFault(fmt::format("it answers without {}", key));
  for (const Json& value : answer[key]) {
    if (!value.is_number() || !(value.get<double>() > 0) || !std::isfinite(value.get<double>()))
      throw PeerFault(fmt::format("it gives {} as a time", value.dump()));
    seconds.push_back(value.get<double>());
  }
  return seconds;
}

}  // namespace

PeerInputs::PeerInputs(const std::string& mechanism, const ladder::Trial& trial) : mechanism_(mechanism), shape_(trial.shape()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "attention.XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw program::UserError(
        fmt::format("cannot make a temporary folder {}; set TMPDIR to a folder with space", pattern));
  folder_ = pattern;
  for (const ladder::NamedTensor& t : trial.tensors())
    tensor::save(folder_ / (t.name + ".npy"), t.values.data(), std::span(t.shape));
}

PeerInputs::~PeerInputs() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

PeerProcess::PeerProcess(const PeerProgram& program, std::shared_ptr<const PeerInputs> inputs, int threads,
                         int copies, const PeerPatience& patience)
    : inputs_(std::move(inputs)), patience_(patience) {
  if (!program.needed.empty() && !std::filesystem::exists(program.needed)) throw PeerFault(program.absent);
  answer_file_ = inputs_->folder() / fmt::format("{}.{}.answer.npy", program.name, threads);
  complaints_ = inputs_->folder() / fmt::format("{}.{}.stderr", program.name, threads);
  start(program.command, threads);
  Json shape = Json::object();
  for (const auto& [key, value] : inputs_->shape().values()) shape[key] = value;
  const Json ready = ask({{"open",
                           {{"mechanism", inputs_->mechanism()},
                            {"folder", inputs_->folder().string()},
                            {"shape", shape},
                            {"threads", threads},
                            {"copies", copies}}}},
                         patience_.open);
  const auto text = [&](const char* key) {
    return ready.contains(key) && ready[key].is_string() ? ready[key].get<std::string>() : "";
  };
  if (ready.contains("unsupported")) fail("unsupported: " + program::one_line(text("unsupported"), 200));
  const auto whole = [&](const char* key) {
    return ready.contains(key) && ready[key].is_number_integer() ? ready[key].get<int>() : 0;
  };
  info_ = {program::one_line(text("version"), 100), program::one_line(text("kernel"), 200), whole("threads"),
           whole("copies")};
  if (info_.version.empty() || info_.threads < 1 || info_.copies < 1)
    fail("it does not say that it is ready, with version, threads and copies");
}

PeerProcess::~PeerProcess() { end(patience_.end); }

void PeerProcess::start(const std::vector<std::string>& command, int threads) {
  std::vector<std::string> words = command;
  std::vector<std::string> environment = peer_environment(threads);
  const std::vector<char*> arguments = pointers(words);
  const std::vector<char*> variables = pointers(environment);
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const std::vector<int>& cpus = machine::placement();
  for (int i = 0; i < threads; ++i)
    CPU_SET(static_cast<std::size_t>(cpus[static_cast<std::size_t>(i) % cpus.size()]), &allowed);

  int down[2];
  int up[2];
  if (pipe2(down, O_CLOEXEC) != 0) throw PeerFault("no pipe can be made");
  if (pipe2(up, O_CLOEXEC) != 0) {
    close(down[0]);
    close(down[1]);
    throw PeerFault("no pipe can be made");
  }
  const int errors = open(complaints_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const pid_t parent = getpid();
  // Not fork: it would copy the page tables of all that we hold, and our next writes would pay for it again.
  child_ = vfork();
  if (child_ == 0) {
    // Only calls of the system: the memory is the parent's.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    sched_setaffinity(0, sizeof allowed, &allowed);
    dup2(down[0], STDIN_FILENO);
    dup2(up[1], STDOUT_FILENO);
    if (errors >= 0) dup2(errors, STDERR_FILENO);
    execvpe(arguments[0], arguments.data(), variables.data());
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  if (errors >= 0) close(errors);
  to_child_ = down[1];
  from_child_ = up[0];
  if (child_ < 0) throw PeerFault("no process can be started");
}

Json PeerProcess::ask(const Json& question, std::chrono::milliseconds limit) {
  const std::string line = question.dump() + "\n";
  // A peer that is gone must not end us by SIGPIPE.
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  const bool written = write(to_child_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  sigaction(SIGPIPE, &before, nullptr);
  std::string said;
  // Where nothing could be written the end is found by reading.
  said = read_line(written ? limit : std::chrono::milliseconds(0));
  Json answer = Json::parse(said, nullptr, false);
  if (answer.is_discarded() || !answer.is_object())
    fail(fmt::format("it says what is no JSON: {}", program::one_line(said, 80)));
  if (answer.contains("fault"))
    fail(answer["fault"].is_string() ? program::one_line(answer["fault"].get<std::string>(), 200)
                                     : "it has failed");
  return answer;
}

std::string PeerProcess::read_line(std::chrono::milliseconds limit) {
  const Clock::time_point last = Clock::now() + limit;
  for (;;) {
    const std::size_t end = received_.find('\n');
    if (end != std::string::npos) {
      std::string line = received_.substr(0, end);
      received_.erase(0, end + 1);
      return line;
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(last - Clock::now());
    pollfd wanted{from_child_, POLLIN, 0};
    const int found = poll(&wanted, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0)
      fail(fmt::format("no answer within {:.3g} s", std::chrono::duration<double>(limit).count()));
    char buffer[4096];
    const ssize_t bytes = read(from_child_, buffer, sizeof buffer);
    if (bytes > 0) {
      received_.append(buffer, static_cast<std::size_t>(bytes));
    } else if (bytes == 0 || errno != EINTR) {
      int status = 0;
      const pid_t gone = std::exchange(child_, -1);
      if (gone <= 0) fail("it has ended");
      // Its output is closed a little before it is gone.
      for (int patience = 0; patience < 100; ++patience) {
        if (waitpid(gone, &status, WNOHANG) == gone) fail(reason_of_end(status));
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
      kill(gone, SIGKILL);
      waitpid(gone, &status, 0);
      fail("it has closed its output");
    }
  }
}

void PeerProcess::fail(const std::string& reason) {
  end(std::chrono::milliseconds(0));
  const std::string complaint = last_line(complaints_);
  throw PeerFault(complaint.empty() ? reason : fmt::format("{} ({})", reason, complaint));
}

void PeerProcess::end(std::chrono::milliseconds limit) noexcept {
  for (int* descriptor : {&to_child_, &from_child_})
    if (*descriptor >= 0) close(std::exchange(*descriptor, -1));
  const pid_t child = std::exchange(child_, -1);
  if (child <= 0) return;
  const Clock::time_point last = Clock::now() + limit;
  while (waitpid(child, nullptr, WNOHANG) == 0) {
    if (Clock::now() >= last) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

std::vector<double> PeerProcess::run(int runs) {
  std::vector<double> seconds = seconds_in(ask({{"run", runs}}, patience_.run * runs), "seconds");
  if (seconds.size() != static_cast<std::size_t>(runs))
    fail(fmt::format("it tells of {} runs, {} were asked for", seconds.size(), runs));
  return seconds;
}

std::vector<float> PeerProcess::answer() {
  ask({{"answer", answer_file_.string()}}, patience_.run);
  try {
    const tensor::NpyArray array = tensor::read_npy(answer_file_);
    if (array.dtype != "float32") fail(fmt::format("its answer is {}, not float32", array.dtype));
    std::vector<float> values(array.bytes.size() / sizeof(float));
    std::ranges::copy(array.bytes, reinterpret_cast<std::byte*>(values.data()));
    std::error_code ignored;
    // The next answer must be another file's content.
    std::filesystem::remove(answer_file_, ignored);
    return values;
  } catch (const program::UserError& error) {
    fail(error.what());
  }
}

std::vector<double> PeerProcess::operator_seconds() {
  return seconds_in(ask({{"finish", true}}, patience_.run), "operator_seconds");
}

ladder::PeerSource peer_source(const PeerProgram& program, std::shared_ptr<const PeerInputs> inputs) {
  return {program.name, program.idea,
          [program, inputs = std::move(inputs)](int threads, int copies) -> std::unique_ptr<ladder::Peer> {
            return std::make_unique<PeerProcess>(program, inputs, threads, copies);
          }};
}

}  // namespace attention::bench
