// BatchNormalization on cases of our own, held against the standard's text in plain float64.
#include <cmath>

#include "catch.hpp"
#include "conformance_window.hpp"

using namespace attention;
using namespace attention::tests;

TEST_CASE("conformance: batch normalization as it is used and as it is trained", "[conformance][layers]") {
  std::uint64_t seed = 0;
  for (const auto& shape : std::vector<std::vector<Index>>{{7}, {5, 3}, {1, 4, 9}, {2, 3, 4, 5}, {2, 1, 3, 2, 2}, {3, 2, 1, 1, 2, 2}, {0, 3, 2}})
    for (const bool training : {false, true})
      for (int round = 0; round < 6; ++round) {
        numerics::Random random(++seed);
        // Of nothing there is no mean.
        if (shape[0] == 0 && training) continue;
        const auto coin = [&] { return random.uniform() < 0.5; };
        const std::string dtype = round % 3 == 2 ? "float16" : "float32";
        const Index channels = shape.size() == 1 ? 1 : shape[1];
        const double epsilon = coin() ? 1e-5 : 0.125, momentum = coin() ? 0.9 : 0.25;
        Array x = normal(random, dtype, shape);
        for (double& v : x.numbers) v = stored(dtype, v + 0.5);
        const Array scale = normal(random, dtype, {channels}), bias = normal(random, dtype, {channels});
        // The running numbers may be of another type than the map.
        const std::string kept = round % 6 == 2 ? "float32" : dtype;
        const Array mean = normal(random, kept, {channels});
        Array variance(kept, {channels}), running_mean(kept, {channels}), running_variance(kept, {channels});
        for (double& v : variance.numbers) v = stored(kept, 0.2 + random.uniform());

        Array y(dtype, shape);
        std::size_t places = 1;
        for (std::size_t axis = 2; axis < shape.size(); ++axis) places *= static_cast<std::size_t>(shape[axis]);
        for (Index c = 0; c < channels; ++c) {
          std::vector<std::size_t> own;
          for (std::size_t at = 0; at < x.numbers.size(); ++at)
            if (static_cast<Index>(at / places) % channels == c) own.push_back(at);
          double m = mean(c), v = variance(c);
          if (training) {
            m = v = 0;
            for (const std::size_t at : own) m += x.numbers[at] / static_cast<double>(own.size());
            for (const std::size_t at : own) v += std::pow(x.numbers[at] - m, 2) / static_cast<double>(own.size());
            running_mean(c) = momentum * mean(c) + (1 - momentum) * m;
            running_variance(c) = momentum * variance(c) + (1 - momentum) * v;
          }
          for (const std::size_t at : own) y.numbers[at] = scale(c) * (x.numbers[at] - m) / std::sqrt(v + epsilon) + bias(c);
        }

        CaseWriter w("BatchNormalization", 15);
        if (epsilon != 1e-5 || coin()) w.attribute("epsilon", epsilon);
        if (momentum != 0.9 || coin()) w.attribute("momentum", momentum);
        if (training || coin()) w.attribute("training_mode", training ? 1 : 0);
        w.input("X", x), w.input("scale", scale), w.input("B", bias), w.input("mean", mean), w.input("var", variance);
        CaseWriter wrong = w;
        w.output("Y", y);
        if (training && round != 1) w.output("m", running_mean), w.output("v", running_variance);
        INFO("seed " << seed << ": " << w.json.dump());
        CHECK(fault_of(outcome_of(w), {"plain"}) == "");
        if (!training) continue;
        running_variance(channels - 1) += 0.05;
        wrong.output("Y", y), wrong.no_output(), wrong.output("v", running_variance);
        CHECK(outcome_of(wrong).verdict == conformance::Verdict::failed);
      }
}

TEST_CASE("conformance: batch normalization that contradicts itself fails", "[conformance][layers]") {
  const auto line = [](auto change) {
    CaseWriter w("BatchNormalization", 15);
    w.input("X", Array("float32", {2, 3, 4}));
    for (const char* name : {"scale", "B", "mean", "var"}) w.input(name, Array("float32", {3}));
    w.output("Y", Array("float32", {2, 3, 4}));
    change(w);
    return outcome_of(w).line();
  };
  CHECK(line([](CaseWriter&) {}).starts_with("passed"));
  CHECK(line([](CaseWriter& w) { w.output("m", Array("float32", {3})); }).find("training_mode is 0") != std::string::npos);
  CHECK(line([](CaseWriter& w) { w.attribute("training_mode", 2); }).find("training_mode is 2") != std::string::npos);
  CHECK(line([](CaseWriter& w) { w.attribute("epsilon", "small"); }).find("epsilon is \"small\"") != std::string::npos);
  CHECK(line([](CaseWriter& w) { w.attribute("spatial", 1); }).starts_with("skipped"));
  CHECK(line([](CaseWriter& w) { w.json["inputs"][4] = nullptr; }).find("input_var is missing") != std::string::npos);
  CHECK(line([](CaseWriter& w) { w.json["opset"] = 9; }).starts_with("skipped"));
  CHECK(line([](CaseWriter& w) { w.json["inputs"][1] = "Y"; }).find("expected (3,)") != std::string::npos);
}
