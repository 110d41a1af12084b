#include "ladder/peak_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <omp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string_view>

#include "ladder/registry.hpp"
#include "machine/affinity.hpp"
#include "program/error.hpp"
#include "tensor/npy.hpp"

namespace attention::ladder {

namespace {

constexpr const char* child_flag = "--peak-memory-child";

/// VmHWM or VmRSS of this process, in bytes.
std::optional<double> status_bytes(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ':')
      return std::stod(line.substr(key.size() + 1)) * 1024;
  return {};
}

}  // namespace

PeakMemory::PeakMemory(std::string mechanism, const Shape& shape, std::uint64_t seed)
    : mechanism_(std::move(mechanism)), source_{"shape", shape.text(), fmt::format("{}", seed)} {}

PeakMemory::PeakMemory(std::string mechanism, const Trial& trial) : mechanism_(std::move(mechanism)), source_{"files"} {
  std::string pattern = (std::filesystem::temp_directory_path() / "attention.XXXXXX").string();
  if (!mkdtemp(pattern.data()))
    throw program::UserError(fmt::format("cannot make a temporary folder {}; set TMPDIR to a folder with space", pattern));
  folder_ = pattern;
  for (const NamedTensor& t : trial.tensors()) {
    const std::filesystem::path file = folder_ / (t.name + ".npy");
    tensor::save(file, t.values.data(), std::span(t.shape));
    source_.push_back(file.string());
  }
}

PeakMemory::~PeakMemory() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::optional<PeakRun> PeakMemory::measure(const std::string& rung, int threads, PeakPlace place) const {
  std::vector<std::string> words{"/proc/self/exe", child_flag, mechanism_, rung, fmt::format("{}", threads), place == PeakPlace::pinned ? "pinned" : "anywhere"};
  words.insert(words.end(), source_.begin(), source_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return {};
  // Not fork: it would copy the page tables of all that we hold, and our next writes would pay for it again.
  const pid_t child = vfork();
  if (child == 0) {
    machine::unpin_this_thread();
    dup2(ends[1], STDOUT_FILENO);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(ends[1]);
  std::string said;
  char buffer[256];
  for (ssize_t n = 0; child > 0 && (n = read(ends[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  PeakRun run{};
  if (status != 0 || std::sscanf(said.c_str(), "%lf %lf", &run.bytes, &run.seconds) != 2) return {};
  return run;
}

std::optional<int> serve_peak_memory(int argc, char** argv, const std::vector<MechanismPtr>& mechanisms) {
  if (argc < 8 || std::string_view(argv[1]) != child_flag) return {};
  const AnyMechanism& mechanism = find_mechanism(mechanisms, argv[2]);
  const std::size_t rung = mechanism.rung_index(argv[3]);
  const std::string_view source = argv[6];
  std::unique_ptr<Trial> trial;
  if (source == "shape") {
    trial = mechanism.make(parse_shape(argv[7], mechanism.keys()), std::stoull(argc > 8 ? argv[8] : "1"), Hardness::plain);
  } else {
    const std::vector<InputSource> files(argv + 7, argv + argc);
    trial = mechanism.from_inputs(files);
  }
  // Neither the threads' stacks nor the output are the rung's.
  trial->prepare();
  if (std::string_view(argv[5]) == "pinned") {
    machine::use_threads(std::stoi(argv[4]));
  } else {
    omp_set_num_threads(std::stoi(argv[4]));
  }

  // Writing 5 sets the mark back to what is held now; where that is not allowed, the mark so far may hide a part.
  std::ofstream("/proc/self/clear_refs") << 5;
  const auto before = status_bytes("VmHWM");
  const auto start = std::chrono::steady_clock::now();
  trial->run(rung);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  const auto after = status_bytes("VmHWM");
  if (!before || !after) return 1;
  std::printf("%.0f %.9f\n", *after - *before, taken.count());
  return 0;
}

}  // namespace attention::ladder
