#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ladder/mechanism.hpp"
#include "ladder/peer.hpp"
#include "program/json.hpp"

namespace attention::bench {

/// A peer's program: how it is started.
struct PeerProgram {
  std::string name;
  std::string idea;                   ///< one line: what it computes with
  std::vector<std::string> command;   ///< program (with a path, or found in PATH) and arguments
  std::filesystem::path needed = {};  ///< a file without which there is no use in starting it; empty: none
  std::string absent = {};            ///< what to say where that file is not there
};

/// How long a peer may take before it counts as hanging.
struct PeerPatience {
  std::chrono::milliseconds open{180'000};  ///< reads the inputs, tries its ways
  std::chrono::milliseconds run{60'000};    ///< for one run
  std::chrono::milliseconds end{2'000};     ///< to leave when it is told to
};

/// The inputs of a problem as .npy files (query.npy, key.npy …) in a temporary folder, for as long as this
/// object lives.
class PeerInputs {
 public:
  /// Throws UserError where they cannot be written.
  PeerInputs(const std::string& mechanism, const ladder::Trial& trial);
  ~PeerInputs();
  PeerInputs(const PeerInputs&) = delete;
  PeerInputs& operator=(const PeerInputs&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  const ladder::Shape& shape() const { return shape_; }
  const std::string& mechanism() const { return mechanism_; }

 private:
  std::string mechanism_;
  std::filesystem::path folder_;
  ladder::Shape shape_;
};

/// A peer in a process of its own, with which it speaks in lines of JSON, one question and one answer at a
/// time:
///
///   {"open": {"mechanism": "dot_product", "folder": "…", "shape": {"heads": 8, …}, "threads": 2, "copies": 1}}
///                         → {"ready": true, "version": "…", "kernel": "…", "threads": 2, "copies": 1} or
///                         {"unsupported": "why"}
///   {"run": 5}            → {"seconds": [5 numbers]}
///   {"answer": "FILE"}    → {"answer": "FILE"}; FILE then holds the last run's output as float32 .npy
///   {"finish": true}      → {"operator_seconds": [one number for each run since "open"; none without a
///   profiler]} end of input          → it leaves
///
/// {"fault": "why"} answers anything. The process may use the CPUs on which our own threads of that number
/// are placed; the environment says nothing that steers a library, but that threads which wait shall sleep.
/// It ends with this object, or with this process.
class PeerProcess final : public ladder::Peer {
 public:
  /// Starts it and waits until it is ready. Throws PeerFault.
  PeerProcess(const PeerProgram& program, std::shared_ptr<const PeerInputs> inputs, int threads, int copies,
              const PeerPatience& patience = {});
  ~PeerProcess() override;
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  const ladder::PeerInfo& info() const override { return info_; }
  std::vector<double> run(int runs) override;
  std::vector<float> answer() override;
  std::vector<double> operator_seconds() override;

  pid_t process() const { return child_; }

 private:
  void start(const std::vector<std::string>& command, int threads);
  Json ask(const Json& question, std::chrono::milliseconds limit);
  std::string read_line(std::chrono::milliseconds limit);
  /// The end of it, at once, and what it said last on standard error.
  [[noreturn]] void fail(const std::string& reason);
  void end(std::chrono::milliseconds limit) noexcept;

  std::shared_ptr<const PeerInputs> inputs_;
  PeerPatience patience_;
  ladder::PeerInfo info_;
  pid_t child_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
  std::filesystem::path answer_file_;
  std::filesystem::path complaints_;  ///< its standard error
  std::string received_;              ///< read beyond the last line
};

/// The peer, to be opened by a climb on the problem of `inputs`.
ladder::PeerSource peer_source(const PeerProgram& program, std::shared_ptr<const PeerInputs> inputs);

}  // namespace attention::bench
