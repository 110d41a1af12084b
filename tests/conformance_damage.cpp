// Cases that are damaged, contradict themselves, or ask for what is not known: one line each, and nothing worse.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "catch.hpp"
#include "conformance_case.hpp"
#include "sanitized.hpp"
#include "unit_files.hpp"

namespace {

namespace fs = std::filesystem;
using namespace attention;
using namespace attention::tests;
using conformance::Outcome;
using conformance::Verdict;

/// softmax of equal numbers.
CaseWriter softmax_case() {
  CaseWriter w("Softmax", 13);
  Array x("float32", {2, 4}), y("float32", {2, 4});
  std::ranges::fill(y.numbers, 0.25);
  w.input("x", x), w.output("y", y);
  return w;
}

/// Equal scores: the mean of V.
CaseWriter attention_case() {
  CaseWriter w("Attention", 23);
  const Array query("float32", {1, 2, 3, 4});
  Array key("float32", {1, 1, 5, 4}), value("float32", {1, 1, 5, 2}), output("float32", {1, 2, 3, 2});
  for (double& v : value.numbers) v = 1;
  for (double& v : output.numbers) v = 1;
  w.input("Q", query), w.input("K", key), w.input("V", value), w.output("Y", output);
  return w;
}

bool has_verdict(const Outcome& outcome, Verdict verdict, std::initializer_list<const char*> words) {
  const std::string line = outcome.line();
  const bool one_line = line.find('\n') == std::string::npos;
  if (!says(line, words) || outcome.verdict != verdict || !one_line) {
    UNSCOPED_INFO("'" << line << "'");
    return false;
  }
  return true;
}

struct Folder {
  explicit Folder(const CaseWriter& w) { w.write(scratch.path()); }
  Outcome run() const { return conformance::run_case(scratch.path(), "damaged"); }
  Scratch scratch;
};

Outcome after(const CaseWriter& w, const std::function<void(const Scratch&)>& damage) {
  const Folder folder(w);
  damage(folder.scratch);
  return folder.run();
}

Outcome with_json(CaseWriter w, const std::function<void(Json&)>& change) {
  change(w.json);
  return outcome_of(w);
}

}  // namespace

TEST_CASE("conformance: the cases that are damaged below are sound before", "[conformance]") {
  CHECK(outcome_of(softmax_case()).verdict == Verdict::passed);
  CHECK(outcome_of(attention_case()).verdict == Verdict::passed);
}

TEST_CASE("conformance: a damaged case is one clear line and has failed", "[conformance]") {
  const CaseWriter soft = softmax_case();
  const auto failed = [](const Outcome& outcome, std::initializer_list<const char*> words) {
    return has_verdict(outcome, Verdict::failed, words);
  };
  // Files.
  CHECK(failed(after(soft, [](const Scratch& f) { fs::remove(f / "x.npy"); }), {"x.npy", "No such file"}));
  CHECK(failed(after(soft, [](const Scratch& f) { fs::remove(f / "y.npy"); }), {"y.npy", "No such file"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "x.npy", get(f / "x.npy").substr(0, 140)); }), {"x.npy", "truncated"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "x.npy", ""); }), {"x.npy", "not a .npy file"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "x.npy", npy_header("<f4", "(10000000000, 10000000000)") + "abcd"); }),
               {"x.npy", "larger than any memory"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "x.npy", npy_header("<f4", "(100000000000,)") + "abcd"); }),
               {"x.npy", "found 4"}));
  CHECK(failed(after(soft, [](const Scratch& f) { fs::remove(f / "x.npy"), fs::create_directory(f / "x.npy"); }),
               {"x.npy", "not a regular file"}));
  CHECK(failed(after(soft, [](const Scratch& f) { fs::remove(f / "case.json"), fs::create_directory(f / "case.json"); }),
               {"case.json", "not a regular file"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "case.json", ""); }), {"case.json", "not JSON"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "case.json", get(f / "case.json").substr(0, 60)); }),
               {"case.json", "not JSON"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "case.json", "\xff\xfe\n{}"); }), {"case.json", "not JSON"}));
  CHECK(
      failed(after(soft, [](const Scratch& f) { put(f / "case.json", std::string(500'000, '[')); }), {"case.json", "not JSON"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "case.json", std::string(500'000, '[') + std::string(500'000, ']')); }),
               {"case.json", "expected an object"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "case.json", std::string(2'000'000, ' ')); }), {"case.json"}));
  CHECK(failed(after(soft, [](const Scratch& f) { put(f / "case.json", "[1, 2]"); }),
               {"case.json", "array", "expected an object"}));
  // Fields.
  for (const char* field : {"op", "opset", "attributes", "inputs", "outputs", "tensors"}) {
    CHECK(failed(with_json(soft, [&](Json& j) { j.erase(field); }), {"case.json", field, "missing"}));
    CHECK(failed(with_json(soft, [&](Json& j) { j[field] = true; }), {"case.json", field, "boolean"}));
  }
  CHECK(failed(with_json(soft, [](Json& j) { j["opset"] = -1; }), {"opset", "-1"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["opset"] = 13.5; }), {"opset"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"].erase("x"); }), {"tensor x is not among"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"]["x"].erase("shape"); }), {"shape of tensor x is missing"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"]["x"].erase("dtype"); }), {"dtype of tensor x is missing"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"]["x"] = 3; }), {"tensor x is missing"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"]["x"]["shape"] = {2, -4}; }), {"shape of tensor x", "-4"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"]["x"]["shape"] = {2, "4"}; }), {"shape of tensor x"}));
  CHECK(failed(with_json(soft,
                         [](Json& j) {
                           j["tensors"]["x"]["shape"] = {1u << 30, 1u << 30, 1u << 30};
                         }),
               {"tensor x", "more than"}));
  CHECK(failed(with_json(soft,
                         [](Json& j) {
                           j["tensors"]["x"]["shape"] = {0, 1u << 30, 1u << 30};
                         }),
               {"tensor x", "more than"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"]["x"]["shape"] = {18446744073709551615u}; }), {"tensor x"}));
  CHECK(failed(with_json(soft,
                         [](Json& j) {
                           j["tensors"]["x"]["shape"] = {4, 2};
                         }),
               {"x.npy", "(2, 4)", "case.json says (4, 2)"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["tensors"]["x"]["dtype"] = "float16"; }),
               {"x.npy", "float32", "case.json says float16"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["inputs"] = {"../x"}; }), {"../x", "not that of a file"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["inputs"] = {""}; }), {"not that of a file"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["inputs"] = {3}; }), {"inputs holds a number"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["inputs"] = Json::array(); }), {"the input input is missing"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["outputs"] = {nullptr}; }), {"the output output is missing"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["attributes"]["axis"] = "last"; }), {"axis", "last"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["attributes"]["axis"] = 2; }), {"axis is 2", "-2 to 1"}));
  CHECK(failed(with_json(soft, [](Json& j) { j["attributes"]["axis"] = 18446744073709551615u; }), {"axis"}));
}

TEST_CASE("conformance: a wrong number is a failure that says where", "[conformance]") {
  CaseWriter w("Softmax", 13);
  Array x("float32", {2, 4}), y("float32", {2, 4});
  std::ranges::fill(y.numbers, 0.25);
  y(1, 2) = 0.2505;
  w.input("x", x), w.output("y", y);
  CHECK(has_verdict(outcome_of(w), Verdict::failed, {"y[1, 2] is 0.25, expected 0.2505", "plain"}));
  for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    CaseWriter other("Softmax", 13);
    y(1, 2) = wrong;
    other.input("x", x), other.output("y", y);
    CHECK(has_verdict(outcome_of(other), Verdict::failed, {"y[1, 2] is 0.25"}));
  }
}

TEST_CASE("conformance: a case that contradicts itself has failed", "[conformance]") {
  const auto failed = [](const CaseWriter& w, std::initializer_list<const char*> words) {
    return has_verdict(outcome_of(w), Verdict::failed, words);
  };
  const auto changed = [](auto change) {
    CaseWriter w = attention_case();
    change(w);
    return w;
  };
  CHECK(failed(changed([](CaseWriter& w) {
                 w.input("attn_mask", Array("bool", {4, 5}));
               }),
               {"attn_mask", "(4, 5)", "broadcast"}));
  CHECK(failed(changed([](CaseWriter& w) {
                 w.input("attn_mask", Array("bool", {3, 6}));
               }),
               {"attn_mask", "(3, 6)", "broadcast"}));
  CHECK(failed(changed([](CaseWriter& w) { w.input("attn_mask", Array("bool", {})); }), {"attn_mask", "1 to 4 dimensions"}));
  CHECK(failed(changed([](CaseWriter& w) {
                 w.no_input(), w.input("past_key", Array("float32", {1, 1, 2, 4}));
               }),
               {"past_value", "together"}));
  CHECK(failed(
      changed([](CaseWriter& w) {
        w.no_input(), w.input("past_key", Array("float32", {1, 1, 2, 4})), w.input("past_value", Array("float32", {1, 1, 2, 2}));
        w.input("nonpad_kv_seqlen", Array("int64", {1}));
      }),
      {"past_key and nonpad_kv_seqlen", "exclude"}));
  CHECK(failed(
      changed([](CaseWriter& w) {
        w.no_input(), w.input("past_key", Array("float32", {1, 1, 2, 3})), w.input("past_value", Array("float32", {1, 1, 2, 2}));
      }),
      {"past_key", "(1, 1, 2, 3)", "(1, 1, 2, 4)"}));
  CHECK(failed(changed([](CaseWriter& w) {
                 Array lengths("int64", {1});
                 lengths(0) = 6;
                 w.no_input(), w.no_input(), w.no_input(), w.input("nonpad_kv_seqlen", lengths);
               }),
               {"nonpad_kv_seqlen holds 6", "0 to 5"}));
  CHECK(failed(changed([](CaseWriter& w) { w.attribute("scale", -0.5); }), {"scale"}));
  CHECK(failed(changed([](CaseWriter& w) { w.attribute("scale", nullptr); }), {"scale is null"}));
  CHECK(failed(changed([](CaseWriter& w) { w.attribute("is_causal", 2); }), {"is_causal is 2"}));
  CHECK(failed(changed([](CaseWriter& w) { w.attribute("qk_matmul_output_mode", 4); }), {"qk_matmul_output_mode is 4"}));
  CHECK(failed(changed([](CaseWriter& w) { w.attribute("left_window_size", -2); }), {"left_window_size is -2"}));
  CHECK(failed(changed([](CaseWriter& w) {
                 w.output("present_key", Array("float32", {1, 1, 5, 3}));
               }),
               {"present_key", "(1, 1, 5, 3)", "(1, 1, 5, 4)"}));
  CHECK(failed(changed([](CaseWriter& w) {
                 w.output("present_key", Array("float16", {1, 1, 5, 4}));
               }),
               {"present_key", "float16"}));
  CHECK(failed(changed([](CaseWriter& w) {
                 w.no_output(), w.no_output(), w.output("qk", Array("float32", {1, 2, 5, 3}));
               }),
               {"qk", "(1, 2, 3, 5)"}));

  const auto made = [](const std::vector<Index>& q, const std::vector<Index>& k, const std::vector<Index>& v,
                       const std::vector<Index>& y) {
    CaseWriter w("Attention", 23);
    w.input("Q", Array("float32", q)), w.input("K", Array("float32", k)), w.input("V", Array("float32", v)),
        w.output("Y", Array("float32", y));
    return w;
  };
  CHECK(failed(made({1, 3, 2, 4}, {1, 2, 2, 4}, {1, 2, 2, 4}, {1, 3, 2, 4}), {"heads", "divide"}));
  CHECK(failed(made({1, 1, 2, 4}, {1, 0, 2, 4}, {1, 0, 2, 4}, {1, 1, 2, 4}), {"heads", "divide"}));
  CHECK(failed(made({1, 1, 2, 4}, {1, 1, 2, 5}, {1, 1, 2, 4}, {1, 1, 2, 4}), {"dim: Q has 4, K has 5"}));
  CHECK(failed(made({1, 1, 2, 4}, {1, 1, 2, 4}, {1, 1, 3, 4}, {1, 1, 2, 4}), {"keys: K has 2, V has 3"}));
  CHECK(failed(made({1, 1, 2, 4}, {2, 1, 2, 4}, {2, 1, 2, 4}, {1, 1, 2, 4}), {"batch: Q has 1, K has 2"}));
  CHECK(
      failed(made({1, 1, 2, 4}, {1, 1, 2, 4}, {1, 1, 2, 4}, {1, 1, 2, 5}), {"Y has shape (1, 1, 2, 5), expected (1, 1, 2, 4)"}));
  CHECK(failed(made({2, 4}, {2, 4}, {2, 4}, {2, 4}), {"Q", "3 or 4 dimensions"}));
  CHECK(failed(made({1, 2, 4}, {1, 2, 4}, {1, 2, 4}, {1, 2, 4}), {"kv_num_heads is missing"}));
  CaseWriter odd = made({1, 2, 4}, {1, 2, 4}, {1, 2, 4}, {1, 2, 4});
  odd.attribute("q_num_heads", 3), odd.attribute("kv_num_heads", 1);
  CHECK(failed(odd, {"Q", "3 heads do not divide"}));
  // Short inputs, an absurd product.
  CHECK(failed(made({1, 1, 100000, 1}, {1, 1, 100000, 1}, {1, 1, 100000, 1}, {1, 1, 100000, 1}), {"too many"}));
  CaseWriter wide("LinearAttention", 27);
  wide.attribute("q_num_heads", 1), wide.attribute("kv_num_heads", 1), wide.attribute("update_rule", "linear");
  wide.input("query", Array("float32", {1, 1, 100000})), wide.input("key", Array("float32", {1, 1, 100000}));
  wide.input("value", Array("float32", {1, 1, 100000})), wide.output("output", Array("float32", {1, 1, 100000}));
  CHECK(failed(wide, {"state", "too large"}));
  CaseWriter rotary("RotaryEmbedding", 23);
  Array places("int64", {1, 2});
  places(0, 1) = 7;
  rotary.input("X", Array("float32", {1, 1, 2, 4})), rotary.input("cos", Array("float32", {7, 2})),
      rotary.input("sin", Array("float32", {7, 2}));
  rotary.input("position_ids", places), rotary.output("Y", Array("float32", {1, 1, 2, 4}));
  CHECK(failed(rotary, {"position_ids holds 7", "7 rows"}));
}

TEST_CASE("conformance: what is not known is skipped by name", "[conformance]") {
  const auto skipped = [](const CaseWriter& w, std::initializer_list<const char*> words) {
    return has_verdict(outcome_of(w), Verdict::skipped, words);
  };
  const auto changed = [](CaseWriter w, auto change) {
    change(w.json);
    return w;
  };
  CHECK(skipped(changed(softmax_case(), [](Json& j) { j["op"] = "Resize"; }),
                {"skipped made (Resize)", "'Resize' is not known"}));
  CHECK(skipped(changed(softmax_case(), [](Json& j) { j["attributes"]["temperature"] = 2; }), {"attribute 'temperature'"}));
  CHECK(skipped(changed(softmax_case(), [](Json& j) { j["opset"] = 11; }), {"opset 11"}));
  CHECK(skipped(changed(softmax_case(), [](Json& j) { j["inputs"].push_back("y"); }), {"input 'y', number 2"}));
  CHECK(skipped(changed(softmax_case(), [](Json& j) { j["outputs"].push_back("x"); }), {"output 'x', number 2"}));
  CHECK(skipped(changed(attention_case(), [](Json& j) { j["attributes"]["softmax_precision"] = 7; }), {"softmax_precision 7"}));
  // A trailing null is a place left out, no input that is not known.
  CHECK(outcome_of(changed(softmax_case(), [](Json& j) { j["inputs"].push_back(nullptr); })).verdict == Verdict::passed);

  CaseWriter doubles("Softmax", 13);
  doubles.input("x", Array("float64", {2})), doubles.output("y", Array("float64", {2}));
  CHECK(skipped(doubles, {"float64", "x"}));
  CaseWriter normalized("LayerNormalization", 17);
  normalized.attribute("stash_type", 16);
  normalized.input("X", Array("float32", {2})), normalized.input("W", Array("float32", {2})),
      normalized.output("Y", Array("float32", {2}));
  CHECK(skipped(normalized, {"stash_type 16"}));
  CaseWriter linear("LinearAttention", 27);
  linear.attribute("q_num_heads", 1), linear.attribute("kv_num_heads", 1), linear.attribute("update_rule", "squared");
  for (const char* name : {"q", "k", "v"}) linear.input(name, Array("float32", {1, 1, 1}));
  linear.output("o", Array("float32", {1, 1, 1}));
  CHECK(skipped(linear, {"update_rule 'squared'"}));
}

TEST_CASE("conformance: no changed byte of a case does harm", "[conformance]") {
  const Folder folder(attention_case());
  numerics::Random random(5);
  for (const char* name : {"case.json", "Q.npy", "Y.npy"}) {
    const std::string good = get(folder.scratch / name);
    for (int change = 0; change < (sanitized ? 60 : 400); ++change) {
      std::string bad = good;
      bad[random.bits() % bad.size()] = static_cast<char>(random.bits() & 0xFF);
      if (change % 4 == 0) bad.resize(random.bits() % bad.size());
      put(folder.scratch / name, bad);
      const std::string line = folder.run().line();
      CHECK(line.find('\n') == std::string::npos);
      CHECK(line.find("a fault in the program") == std::string::npos);
    }
    put(folder.scratch / name, good);
  }
  CHECK(folder.run().verdict == Verdict::passed);
}

TEST_CASE("conformance: cases are found at any depth, run in order and counted", "[conformance]") {
  const Scratch folder;
  CHECK(says(refusal([&] { conformance::find_cases(folder / "none"); }), {"there is no folder", "none"}));
  CHECK(says(refusal([&] { conformance::find_cases(folder.path()); }), {"no case below"}));
  softmax_case().write(folder / "b/deep/er");
  softmax_case().write(folder / "a");
  softmax_case().write(folder / "c");
  put(folder / "c/case.json", "{");
  CaseWriter other = softmax_case();
  other.json["op"] = "Other";
  other.write(folder / "d");
  fs::create_directory(folder / "empty");
  fs::create_directory_symlink(folder.path(), folder / "a/round");
  std::vector<std::string> names;
  const auto summary = conformance::run_cases(folder.path(), [&](const Outcome& outcome) { names.push_back(outcome.name); });
  CHECK(names == std::vector<std::string>{"a", "b/deep/er", "c", "d"});
  CHECK(summary.text().ends_with("2 passed, 1 failed, 1 skipped\n"));
  // The folder of a case itself.
  conformance::run_cases(folder / "a/", [&](const Outcome& outcome) { CHECK(outcome.name == "a"); });
  put(folder / "file", "");
  CHECK(says(refusal([&] { conformance::find_cases(folder / "file"); }), {"not a folder"}));
}
