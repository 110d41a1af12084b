// The ladders from the command line: how fast they are here.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <memory>

#include "ladder/climb.hpp"
#include "ladder/peak_memory.hpp"
#include "ladder/registry.hpp"
#include "ladder/results.hpp"
#include "machine/affinity.hpp"
#include "machine/caches.hpp"
#include "machine/description.hpp"
#include "peers.hpp"
#include "program/atomic_file.hpp"
#include "program/command_line.hpp"
#include "program/error.hpp"
#include "program/json.hpp"
#include "program/main.hpp"
#include "program/progress.hpp"

namespace {

using namespace attention;

/// The mechanisms that other libraries have, too.
constexpr std::string_view peers_mechanisms[] = {"dot_product", "multi_head", "additive", "convolution"};

struct BenchOptions {
  std::string mechanism;
  std::vector<std::string> shapes;
  std::string threads = "1";
  std::string rungs;
  std::string json_file;
  std::string csv_file;
  std::string input;
  std::string peers;
  bool with_peers = false;
  std::uint64_t seed = 1;
  double seconds = 0.5;
  bool no_peak_memory = false;
  bool quiet = false;
};

/// A place on standard output or in a file.
void put(const std::string& where, const std::string& text) {
  if (where == "-")
    std::cout << text;
  else
    program::write_file(where, text);
}

std::vector<int> parse_threads(const std::string& text) {
  std::vector<int> threads;
  for (const std::int64_t n : program::parse_positive_list(text, "--threads", 1024)) threads.push_back(static_cast<int>(n));
  return threads;
}

void refuse_oversized(const ladder::AnyMechanism& mechanism, const ladder::Shape& shape) {
  const double needed = mechanism.footprint(shape);
  const double free = static_cast<double>(machine::memory().available_bytes);
  // Samples and copies take their room beside it.
  if (needed > 0.4 * free)
    throw program::UserError(fmt::format("{} needs {} for its inputs and output, and {} are free, of which 40 % may be taken; choose a smaller shape",
                                         shape.text(), ladder::format_bytes(needed), ladder::format_bytes(free)));
}

int run_bench(const BenchOptions& o) {
  const ladder::AnyMechanism& mechanism = ladder::find_mechanism(ladder::all_mechanisms(), o.mechanism);
  if (!o.input.empty() && !o.shapes.empty())
    throw program::UserError("--input brings its own sizes; leave out --shape");
  if (o.json_file == "-" && o.csv_file == "-") throw program::UserError("--json - and --csv - cannot both have standard output");

  ladder::ClimbOptions climb;
  climb.threads = parse_threads(o.threads);
  climb.seconds = o.seconds;
  if (!o.rungs.empty())
    for (const std::string_view rung : program::split(o.rungs, ',')) climb.rungs.push_back(mechanism.rung_index(rung));
  std::vector<bench::PeerProgram> peers;
  if (o.with_peers) {
    if (std::ranges::find(peers_mechanisms, o.mechanism) == std::end(peers_mechanisms))
      throw program::UserError(fmt::format("--peers: other libraries stand beside {} only, not beside {}",
                                           fmt::join(peers_mechanisms, ", "), o.mechanism));
    peers = bench::choose_peers(o.peers);
  }

  // All shapes are read before any is measured: a slip in the last should not cost the time of the others.
  std::vector<ladder::Shape> shapes;
  for (const std::string& text : o.shapes) {
    shapes.push_back(ladder::parse_shape(text, mechanism.keys()));
    refuse_oversized(mechanism, shapes.back());
  }
  if (o.input.empty() && shapes.empty())
    for (const ladder::StandardShape& standard : mechanism.standard_shapes())
      shapes.push_back(ladder::parse_shape(standard.text, mechanism.keys()));

  // So are the files to be written: an hour's figures must not be lost to a slip in a path.
  for (const std::string& file : {o.json_file, o.csv_file})
    if (!file.empty() && file != "-") program::require_writable(file);

  const bool quiet_output = o.quiet || o.json_file == "-" || o.csv_file == "-";
  machine::Roofs roofs;
  std::vector<ladder::Measurement> all;
  const auto measure = [&](ladder::Trial& trial, const ladder::PeakMemory& peak) {
    program::Progress progress(fmt::format("{} {}", mechanism.name(), trial.shape().text()));
    climb.note = [&](const std::string& what) { progress.note(what); };
    if (!o.no_peak_memory)
      climb.peak_memory = [&](std::size_t rung, int threads, ladder::PeakPlace place) { return peak.measure(mechanism.rungs()[rung].name, threads, place); };
    if (!peers.empty()) {
      climb.peers.clear();
      const auto inputs = std::make_shared<const bench::PeerInputs>(o.mechanism, trial);
      for (const bench::PeerProgram& peer : peers) climb.peers.push_back(bench::peer_source(peer, inputs));
    }
    const std::vector<ladder::Measurement> found = ladder::climb(mechanism, trial, climb, roofs);
    progress.clear();
    if (!quiet_output) std::cout << fmt::format("{}, {}\n{}\n", mechanism.title(), trial.shape().text(), ladder::to_table(found));
    all.insert(all.end(), found.begin(), found.end());
  };

  if (!o.input.empty()) {
    std::vector<ladder::InputSource> files;
    for (const std::string_view file : program::split(o.input, ',')) files.emplace_back(std::filesystem::path(file));
    const auto trial = mechanism.from_inputs(files);
    measure(*trial, ladder::PeakMemory(mechanism.name(), *trial));
  }
  for (const ladder::Shape& shape : shapes) {
    const auto trial = mechanism.make(shape, o.seed, ladder::Hardness::plain);
    measure(*trial, ladder::PeakMemory(mechanism.name(), shape, o.seed));
  }

  if (!o.json_file.empty()) {
    Json machine = machine::describe();
    machine["roofs"] = machine::describe_roofs(roofs);
    const Json settings{{"seconds", o.seconds}, {"peak_memory", !o.no_peak_memory}, {"input", !o.input.empty()}};
    put(o.json_file, Json{{"schema", 1}, {"machine", machine}, {"seed", o.seed}, {"settings", settings},
                          {"results", ladder::to_json(all)}}.dump(1) + "\n");
  }
  if (!o.csv_file.empty()) put(o.csv_file, ladder::to_csv(all));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return program::run_main(argc, argv, [&]() -> int {
    if (const auto status = ladder::serve_peak_memory(argc, argv, ladder::all_mechanisms())) return *status;

    CLI::App app("The ladders of attention: how fast they are on this machine.", "course");
    app.require_subcommand(1);
    BenchOptions o;
    CLI::App* bench_command = app.add_subcommand("bench", "check and time the rungs of a mechanism");
    bench_command->add_option("mechanism", o.mechanism, "its name; `course list` shows them")->required();
    bench_command->add_option("--shape", o.shapes, "sizes, as heads=8,queries=2048,dim=64; may be given again. Default: the standard shapes");
    bench_command->add_option("--threads", o.threads, "numbers of threads, as 1,2")->capture_default_str();
    bench_command->add_option("--rung", o.rungs, "rungs, as fused,simd. Default: all");
    bench_command->add_option("--json", o.json_file, "write one JSON document to this file; - is standard output");
    bench_command->add_option("--csv", o.csv_file, "the same as CSV");
    bench_command->add_option("--input", o.input, "your own tensors as .npy files, in the mechanism's order: q.npy,k.npy,v.npy");
    bench_command->add_option("--seed", o.seed, "of the random tensors")->capture_default_str();
    bench_command->add_option("--seconds", o.seconds, "of timed runs a rung")->capture_default_str()->check(CLI::PositiveNumber);
    CLI::Option* peers = bench_command->add_option("--peers", o.peers,
                                                   "put other libraries beside the rungs, as of dot_product: all that are here, "
                                                   "or --peers=openblas,onednn. Get them by ./course setup --peers");
    peers->expected(0, 1);
    bench_command->add_flag("--no-peak-memory", o.no_peak_memory, "do not start a process a rung to measure its memory");

    bench_command->add_flag("--quiet", o.quiet, "no table on standard output");

    if (const auto status = program::parse(app, argc, argv)) return *status;
    o.with_peers = peers->count() > 0;
    return run_bench(o);
  });
}
