// Peers: the conversation with their programs, by a stand-in that answers, fails and hangs as it is told; and
// every real one that is installed, against the reference.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "ladder/climb.hpp"
#include "ladder/registry.hpp"
#include "machine/affinity.hpp"
#include "peers.hpp"
#include "sanitized.hpp"
#include "tensor/npy.hpp"
#include "unit_files.hpp"

using namespace attention;
using namespace std::chrono_literals;
using tests::contains;

namespace {

/// Speaks as bench/peer_process.hpp says; its first argument says how it misbehaves, the second is a right
/// answer.
constexpr const char* stand_in = R"bash(
how=$1 right=$2 runs=0
times() { local i; for ((i = 0; i < $2; ++i)); do printf '%s%s' "${comma-}" "$1"; local comma=,; done; }
while IFS= read -r line; do
  case $line in
    *'"open"'*)
      case $how in
        unsupported) echo '{"unsupported": "two many heads"}' ;;
        leaves) echo 'the library is broken' >&2; exit 3 ;;
        crashes_early) kill -SEGV $$ ;;
        garbage) echo 'hello' ;;
        not_ready) echo '{}' ;;
        hangs_early) exec sleep 60 ;;
        *) printf '{"ready": true, "version": "v1 %s", "kernel": "cpus %s", "threads": 1, "copies": 1}\n' \
             "${OPENBLAS_CORETYPE-unset} ${OMP_WAIT_POLICY-unset}" "$(sed -n 's/^Cpus_allowed_list:\s*//p' /proc/self/status)" ;;
      esac ;;
    *'"run"'*)
      [[ $line =~ ([0-9]+) ]]; n=${BASH_REMATCH[1]}
      runs=$((runs + n))
      case $how in
        crashes) kill -SEGV $$ ;;
        hangs) exec sleep 60 ;;
        fault) echo '{"fault": "out of breath"}' ;;
        few) echo '{"seconds": []}' ;;
        instant) printf '{"seconds": [%s]}\n' "$(times 0 "$n")" ;;
        *) printf '{"seconds": [%s]}\n' "$(times 0.25 "$n")" ;;
      esac ;;
    *'"answer"'*)
      [[ $line =~ \"answer\":\"([^\"]*)\" ]]; file=${BASH_REMATCH[1]}
      case $how in
        wrong) cp "$right.wrong" "$file" ;;
        wrong_later) cp "$right$([[ $runs -gt 2 ]] && echo .wrong)" "$file" ;;
        short) cp "$right.short" "$file" ;;
        silent) ;;
        *) cp "$right" "$file" ;;
      esac
      echo '{"answer": true}' ;;
    *'"finish"'*)
      case $how in
        profiler) printf '{"operator_seconds": [%s]}\n' "$(times 0.125 "$runs")" ;;
        forgetful) echo '{"operator_seconds": [0.125]}' ;;
        *) echo '{"operator_seconds": []}' ;;
      esac ;;
  esac
done
)bash";

/// The mechanism that peers stand beside, on a small problem, and the stand-in with its answers.
class Stage {
 public:
  Stage()
      : trial(mechanism.make(ladder::parse_shape("heads=2,queries=12,keys=15,dim=8", mechanism.keys()), 1,
                             ladder::Hardness::plain)) {
    tests::put(folder / "stand_in.sh", stand_in);
    trial->run(0);
    const ladder::Field output = trial->answer().at(0);
    std::vector<float> values(output.values.begin(), output.values.end());
    tensor::save(folder / "right.npy", values.data(), std::span(output.shape));
    const std::size_t one[] = {1};
    tensor::save(folder / "right.npy.short", values.data(), std::span(one));
    values[values.size() / 2] += 0.01F;
    tensor::save(folder / "right.npy.wrong", values.data(), std::span(output.shape));
    inputs = std::make_shared<const bench::PeerInputs>("dot_product", *trial);
  }

  bench::PeerProgram program(const std::string& how) const {
    return {
        how, "a stand-in", {"bash", (folder / "stand_in.sh").string(), how, (folder / "right.npy").string()}};
  }

  /// Rung 0 and the stand-in.
  std::vector<ladder::Measurement> climb(const std::string& how) const {
    ladder::ClimbOptions options;
    options.rungs = {0};
    options.seconds = 0.001;
    options.peers = {bench::peer_source(program(how), inputs)};
    machine::Roofs roofs;
    return ladder::climb(mechanism, *trial, options, roofs);
  }

  const ladder::AnyMechanism& mechanism = ladder::find_mechanism(ladder::all_mechanisms(), "dot_product");
  tests::Scratch folder;
  std::unique_ptr<ladder::Trial> trial;
  std::shared_ptr<const bench::PeerInputs> inputs;
};

/// Seconds of processor time that a process has used.
double processor_seconds(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  std::istringstream words(line.substr(line.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) words >> skipped;
  double user = 0;
  double system = 0;
  words >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

TEST_CASE("a peer is checked and timed beside the rungs", "[peers]") {
  const Stage stage;
  const auto found = stage.climb("right");
  REQUIRE(found.size() == 2);
  const ladder::Measurement& m = found[1];
  CHECK(m.rung == "peer:right");
  CHECK(m.reason.empty());
  REQUIRE(m.status == ladder::Status::ok);
  CHECK(m.beside);
  CHECK(m.median_s == 0.25);
  CHECK(m.checked_rows == 24);
  CHECK(m.max_error <= m.error_bound);
  const Json json = ladder::to_json(m);
  CHECK_THAT(json.at("peer").at("version").get<std::string>(), contains("v1"));
  CHECK(json.at("peer").at("around_s") == 0.25);
  CHECK(json.at("peer").at("operator_s").is_null());
  CHECK_FALSE(ladder::to_json(found[0]).contains("peer"));
  CHECK_THAT(ladder::to_table(found), contains("peer:right (1 threads): v1"));
}

TEST_CASE("a peer's own profiler takes the place of the clock around it", "[peers]") {
  const Stage stage;
  const ladder::Measurement m = stage.climb("profiler")[1];
  CHECK(m.median_s == 0.125);
  REQUIRE(m.peer);
  CHECK(m.peer->around_s == 0.25);
  CHECK(ladder::to_json(m).at("peer").at("operator_s") == 0.125);
}

TEST_CASE("a peer that fails is one line, and the benchmark goes on", "[peers]") {
  const Stage stage;
  for (const auto& [how, reason] : {std::pair{"unsupported", "unsupported: two many heads"},
                                    {"leaves", "it ended with status 3 (the library is broken)"},
                                    {"crashes_early", "signal 11"},
                                    {"garbage", "no JSON: hello"},
                                    {"not_ready", "ready"},
                                    {"crashes", "signal 11"},
                                    {"fault", "out of breath"},
                                    {"few", "0 runs, 1 were asked"},
                                    {"instant", "gives 0 as a time"},
                                    {"wrong", "wrong before timing"},
                                    {"wrong_later", "wrong after timing"},
                                    {"short", "1 values, 192 were expected"},
                                    {"silent", "answer.npy"},
                                    {"forgetful", "its profiler tells of 1 runs"}}) {
    INFO(how);
    const auto found = stage.climb(how);
    REQUIRE(found.size() == 2);
    CHECK(found[0].status == ladder::Status::ok);
    CHECK(found[1].status == ladder::Status::skipped);
    CHECK_THAT(found[1].reason, contains(reason));
    CHECK(found[1].reason.find('\n') == std::string::npos);
    CHECK_FALSE(found[1].peer);
  }
}

TEST_CASE("a peer that is not there says how to get it", "[peers]") {
  const Stage stage;
  bench::PeerProgram missing = stage.program("right");
  missing.needed = stage.folder / "nothing";
  missing.absent = "fetch it";
  CHECK_THROWS_WITH(bench::PeerProcess(missing, stage.inputs, 1, 1), "fetch it");
  missing = {"none", "", {(stage.folder / "nothing").string()}};
  CHECK_THROWS_WITH(bench::PeerProcess(missing, stage.inputs, 1, 1), contains("cannot be started"));
}

TEST_CASE("a peer that hangs is ended", "[peers]") {
  const Stage stage;
  bench::PeerPatience patience;
  patience.open = 300ms;
  CHECK_THROWS_WITH(bench::PeerProcess(stage.program("hangs_early"), stage.inputs, 1, 1, patience),
                    contains("no answer within 0.3 s"));
  patience = {};
  patience.run = 300ms;
  bench::PeerProcess peer(stage.program("hangs"), stage.inputs, 1, 1, patience);
  const pid_t process = peer.process();
  CHECK_THROWS_WITH(peer.run(1), contains("no answer within 0.3 s"));
  CHECK(kill(process, 0) != 0);
  // And stays ended.
  CHECK_THROWS_AS(peer.run(1), ladder::PeerFault);
}

TEST_CASE("a peer's process ends with its object", "[peers]") {
  const Stage stage;
  pid_t process = 0;
  {
    bench::PeerProcess peer(stage.program("right"), stage.inputs, 1, 1);
    process = peer.process();
    CHECK(kill(process, 0) == 0);
  }
  CHECK(kill(process, 0) != 0);
}

TEST_CASE("a peer runs on its own CPUs and free of what steers libraries", "[peers]") {
  const Stage stage;
  setenv("OPENBLAS_CORETYPE", "Prescott", 1);
  setenv("OMP_WAIT_POLICY", "active", 1);
  machine::unpin_this_thread();  // what it would inherit else
  const bench::PeerProcess peer(stage.program("right"), stage.inputs, 1, 1);
  unsetenv("OPENBLAS_CORETYPE");
  unsetenv("OMP_WAIT_POLICY");
  machine::use_threads(machine::threads_in_use());
  CHECK(peer.info().version == "v1 unset passive");
  CHECK(peer.info().kernel == fmt::format("cpus {}", machine::placement().front()));
}

TEST_CASE("an unknown peer is refused with what there is", "[peers]") {
  CHECK_THROWS_WITH(bench::choose_peers("openblas,mine"),
                    contains("no peer 'mine'") && contains("onnxruntime"));
  CHECK(bench::choose_peers("onednn,openblas").size() == 2);
  CHECK(bench::choose_peers("").size() == bench::all_peers().size());
}

TEST_CASE("every peer that is installed agrees with the reference, and sleeps while it is not asked",
          "[peers][timing]") {
  // Libraries that are not compiled for it would be reported.
  if (tests::thread_sanitized) return;
  const ladder::AnyMechanism& mechanism = ladder::find_mechanism(ladder::all_mechanisms(), "dot_product");
  std::vector<std::string> shapes{"heads=2,queries=67,dim=16", "batch=2,heads=3,queries=1,keys=131,dim=24"};
  const auto has = [&](const char* key) {
    return std::ranges::any_of(mechanism.keys(), [&](const ladder::ShapeKey& k) { return k.name == key; });
  };
  if (has("causal")) shapes.emplace_back("heads=2,queries=67,dim=16,causal=1");
  if (has("causal") && has("window")) shapes.emplace_back("heads=2,queries=67,dim=16,causal=1,window=9");
  if (has("kv_heads")) shapes.emplace_back("heads=4,kv_heads=2,queries=1,keys=131,dim=16");
  std::vector<std::pair<std::string, std::string>> problems;
  for (const std::string& shape : shapes) problems.emplace_back("dot_product", shape);
  problems.emplace_back("multi_head", "n=67,width=32,key_heads=4,dim=8");
  problems.emplace_back("multi_head", "batch=2,n=33,width=24,key_heads=3,dim=8,causal=1");
  problems.emplace_back("convolution", "batch=2,in_channels=5,out_channels=19,height=9,width=13,kernel=3");
  problems.emplace_back("convolution", "in_channels=17,out_channels=16,height=11,kernel=5,dilation=2");
  for (const bench::PeerProgram& program : bench::all_peers())
    for (const auto& [name, shape] : problems) {
      const ladder::AnyMechanism& of = ladder::find_mechanism(ladder::all_mechanisms(), name);
      const auto trial = of.make(ladder::parse_shape(shape, of.keys()), 3, ladder::Hardness::plain);
      const auto inputs = std::make_shared<const bench::PeerInputs>(name, *trial);
      INFO(program.name << " on " << name << " " << shape);
      try {
        bench::PeerProcess peer(program, inputs, 2, 2);
        CHECK(peer.run(3).size() == 3);  // the last run is on the second copy's turn, or on the first's
        const ladder::CheckResult check = trial->check_values(peer.answer(), {});
        CHECK(check.fault == "");
        CHECK(check.passed);
        CHECK(peer.info().threads == 2);
        CHECK(peer.info().copies == 2);
        const double before = processor_seconds(peer.process());
        std::this_thread::sleep_for(300ms);
        CHECK(processor_seconds(peer.process()) - before <= 0.06);
        const std::size_t own = peer.operator_seconds().size();
        CHECK((own == 0 || own == 3));
      } catch (const ladder::PeerFault& fault) {
        const std::string reason = fault.what();
        // Not there, or not for this shape; nothing else.
        CHECK((reason.find("setup --peers") != std::string::npos || reason.starts_with("unsupported")));
        WARN("skipped: " << program.name << " on " << name << " " << shape << ": " << reason);
        if (!reason.starts_with("unsupported: ") || reason.find("setup --peers") != std::string::npos) break;
      }
    }
}
