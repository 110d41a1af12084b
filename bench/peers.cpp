#include "peers.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "program/command_line.hpp"
#include "program/error.hpp"

namespace attention::bench {

namespace {

constexpr const char* how_to_get = "./course setup --peers";

/// The folder of this program: build/PRESET/bin.
std::filesystem::path own_folder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }

PeerProgram compiled(const std::string& name, const std::string& idea, const std::string& program,
                     const std::string& argument, const std::string& library) {
  const std::filesystem::path file = own_folder() / "peers" / program;
  std::vector<std::string> command{file.string()};
  if (!argument.empty()) command.push_back(argument);
  return {name, idea, command, file,
          fmt::format("not built, since {} was not found then; {}", library, how_to_get)};
}

}  // namespace

std::vector<PeerProgram> all_peers() {
  const std::filesystem::path scripts = own_folder() / "peers";
  // What npm has installed serves all presets.
  const std::filesystem::path modules = own_folder().parent_path().parent_path() / "peers" / "node_modules";
  const std::filesystem::path python = "/usr/bin/python3";
  return {compiled("openblas", "OpenBLAS: two products in blocks of rows", "peer_openblas", "", "OpenBLAS"),
          compiled("openblas_whole", "OpenBLAS: two products of all rows of a head", "peer_openblas", "whole",
                   "OpenBLAS"),
          compiled("onednn", "oneDNN: matmul and softmax, or convolution primitives", "peer_onednn", "", "oneDNN"),
          {"pytorch",
           "PyTorch: the fastest of its ways",
           {python.string(), (scripts / "pytorch.py").string()},
           python,
           fmt::format("there is no {}; {}", python.string(), how_to_get)},
          {"onnxruntime",
           "ONNX Runtime: MultiHeadAttention, GroupQueryAttention",
           {"node", (scripts / "onnxruntime.mjs").string(), modules.string()},
           modules / "onnxruntime-node",
           fmt::format("onnxruntime-node is not installed; {}", how_to_get)}};
}

std::vector<PeerProgram> choose_peers(std::string_view names) {
  const std::vector<PeerProgram> all = all_peers();
  if (names.empty()) return all;
  std::vector<PeerProgram> chosen;
  for (const std::string_view name : program::split(names, ',')) {
    const auto found = std::ranges::find(all, name, &PeerProgram::name);
    if (found == all.end()) {
      std::vector<std::string> known;
      for (const PeerProgram& peer : all) known.push_back(peer.name);
      throw program::UserError(
          fmt::format("there is no peer '{}'; there are {}", name, fmt::join(known, ", ")));
    }
    chosen.push_back(*found);
  }
  return chosen;
}

}  // namespace attention::bench
