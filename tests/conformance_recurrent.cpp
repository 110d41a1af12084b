// LSTM and GRU on cases of our own, held against the standard's text in plain loops and float64: each attribute and their combinations.
#include <algorithm>
#include <cmath>
#include <optional>

#include "catch.hpp"
#include "conformance_case.hpp"

using namespace attention;
using namespace attention::tests;

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// One case: what it is made of, and what the standard says of it.
struct Recurrent {
  bool lstm;
  std::string direction;
  Index layout, time, batch, inputs, hidden;
  bool bias, lengths, initial, peepholes, after;

  Index gates() const { return lstm ? 4 : 3; }
  Index directions() const { return direction == "bidirectional" ? 2 : 1; }
};

struct Made {
  Array X, W, R, B, lengths, h, c, P, Y, Y_h, Y_c;
};

/// [t, b, …] in a tensor that begins with batch where layout is 1.
double& at(Array& a, const Recurrent& r, Index t, Index b, Index i) { return r.layout == 1 ? a(b, t, i) : a(t, b, i); }
/// [d, b, …] of a state.
double& state(Array& a, const Recurrent& r, Index d, Index b, Index i) { return r.layout == 1 ? a(b, d, i) : a(d, b, i); }

void run(const Recurrent& r, Made& m) {
  const auto n = static_cast<std::size_t>(r.hidden);
  for (Index d = 0; d < r.directions(); ++d)
    for (Index b = 0; b < r.batch; ++b) {
      const Index length = r.lengths ? static_cast<Index>(m.lengths(b)) : r.time;
      const bool backward = r.direction == "reverse" || d == 1;
      std::vector<double> h(n, 0), c(n, 0);
      if (r.initial)
        for (std::size_t i = 0; i < n; ++i) {
          h[i] = state(m.h, r, d, b, static_cast<Index>(i));
          if (r.lstm) c[i] = state(m.c, r, d, b, static_cast<Index>(i));
        }
      for (Index step = 0; step < length; ++step) {
        const Index t = backward ? length - 1 - step : step;
        const auto x = [&](Index gate, Index i) {
          double sum = r.bias ? m.B(d, gate * r.hidden + i) : 0;
          for (Index k = 0; k < r.inputs; ++k) sum += m.W(d, gate * r.hidden + i, k) * at(m.X, r, t, b, k);
          return sum;
        };
        const auto u = [&](Index gate, Index i, const std::vector<double>& of) {
          double sum = r.bias ? m.B(d, (r.gates() + gate) * r.hidden + i) : 0;
          for (Index k = 0; k < r.hidden; ++k) sum += m.R(d, gate * r.hidden + i, k) * of[static_cast<std::size_t>(k)];
          return sum;
        };
        std::vector<double> next(n), next_c(n), reset(n);
        for (Index i = 0; i < r.hidden; ++i) {
          const auto k = static_cast<std::size_t>(i);
          const auto peep = [&](Index which) { return r.peepholes ? m.P(d, which * r.hidden + i) : 0; };
          if (r.lstm) {
            const double in = sigmoid(x(0, i) + u(0, i, h) + peep(0) * c[k]);
            const double forget = sigmoid(x(2, i) + u(2, i, h) + peep(2) * c[k]);
            next_c[k] = forget * c[k] + in * std::tanh(x(3, i) + u(3, i, h));
            next[k] = sigmoid(x(1, i) + u(1, i, h) + peep(1) * next_c[k]) * std::tanh(next_c[k]);
          } else {
            reset[k] = sigmoid(x(1, i) + u(1, i, h));
          }
        }
        if (!r.lstm) {
          std::vector<double> part(n);
          for (std::size_t k = 0; k < n; ++k) part[k] = reset[k] * h[k];
          for (Index i = 0; i < r.hidden; ++i) {
            const auto k = static_cast<std::size_t>(i);
            const double z = sigmoid(x(0, i) + u(0, i, h));
            const double candidate = std::tanh(x(2, i) + (r.after ? reset[k] * u(2, i, h) : u(2, i, part)));
            next[k] = (1 - z) * candidate + z * h[k];
          }
        }
        h = next;
        c = next_c;
        for (Index i = 0; i < r.hidden; ++i)
          (r.layout == 1 ? m.Y(b, t, d, i) : m.Y(t, d, b, i)) = h[static_cast<std::size_t>(i)];
      }
      for (Index i = 0; i < r.hidden; ++i) {
        state(m.Y_h, r, d, b, i) = h[static_cast<std::size_t>(i)];
        if (r.lstm) state(m.Y_c, r, d, b, i) = c[static_cast<std::size_t>(i)];
      }
    }
}

}  // namespace

TEST_CASE("conformance: LSTM and GRU in every direction and layout, with lengths, initial states, peepholes and both reset gates", "[conformance]") {
  numerics::Random random(41);
  const auto coin = [&] { return random.uniform() < 0.5; };
  const auto below = [&](Index n) { return static_cast<Index>(random.bits() % static_cast<std::uint64_t>(n)); };
  int tried = 0;
  for (const bool lstm : {true, false})
    for (const char* direction : {"forward", "reverse", "bidirectional"})
      for (const Index layout : {0, 1})
        for (int round = 0; round < 6; ++round) {
          const Recurrent r{lstm, direction, layout, 1 + below(7), 1 + below(6), 1 + below(5), 1 + below(20), coin(), coin(), coin(), lstm && coin(), coin()};
          const std::string dtype = round == 5 ? "float16" : "float32";
          const Index directions = r.directions();
          Made m;
          const auto state_shape = layout == 1 ? std::vector<Index>{r.batch, directions, r.hidden} : std::vector<Index>{directions, r.batch, r.hidden};
          m.X = normal(random, dtype, layout == 1 ? std::vector<Index>{r.batch, r.time, r.inputs} : std::vector<Index>{r.time, r.batch, r.inputs});
          m.W = normal(random, dtype, {directions, r.gates() * r.hidden, r.inputs});
          m.R = normal(random, dtype, {directions, r.gates() * r.hidden, r.hidden});
          m.B = normal(random, dtype, {directions, 2 * r.gates() * r.hidden});
          m.P = normal(random, dtype, {directions, 3 * r.hidden});
          m.h = normal(random, dtype, state_shape);
          m.c = normal(random, dtype, state_shape);
          m.lengths = Array("int32", {r.batch});
          for (double& length : m.lengths.numbers) length = static_cast<double>(below(r.time + 1));
          m.Y = Array(dtype, layout == 1 ? std::vector<Index>{r.batch, r.time, directions, r.hidden} : std::vector<Index>{r.time, directions, r.batch, r.hidden});
          m.Y_h = m.Y_c = Array(dtype, state_shape);
          run(r, m);

          CaseWriter w(lstm ? "LSTM" : "GRU", 22);
          w.attribute("hidden_size", r.hidden);
          if (r.direction != "forward" || coin()) w.attribute("direction", r.direction);
          if (layout == 1 || coin()) w.attribute("layout", layout);
          if (!lstm && (r.after || coin())) w.attribute("linear_before_reset", r.after ? 1 : 0);
          const auto optional = [&w](bool there, const char* name, const Array& array) {
            if (there) w.input(name, array);
            else w.no_input();
          };
          w.input("X", m.X), w.input("W", m.W), w.input("R", m.R);
          optional(r.bias, "B", m.B), optional(r.lengths, "lengths", m.lengths), optional(r.initial, "h", m.h);
          if (lstm) optional(r.initial, "c", m.c), optional(r.peepholes, "P", m.P);
          if (round != 1) w.output("Y", m.Y);
          else w.no_output();
          w.output("Y_h", m.Y_h);
          if (lstm) w.output("Y_c", m.Y_c);
          INFO((lstm ? "LSTM " : "GRU ") << direction << ", layout " << layout << ", round " << round);
          CHECK(fault_of(outcome_of(w), {"layer"}) == "");
          ++tried;
          // A wrong one must be noticed.
          m.Y_h.numbers[static_cast<std::size_t>(below(static_cast<Index>(m.Y_h.numbers.size())))] += 0.1;
          CaseWriter wrong = w;
          wrong.json["outputs"] = Json::array();
          wrong.no_output();
          wrong.output("wrong", m.Y_h);
          CHECK(outcome_of(wrong).verdict == conformance::Verdict::failed);
        }
  CHECK(tried == 72);
}

TEST_CASE("conformance: of LSTM and GRU what is not known is skipped, and what contradicts itself fails", "[conformance]") {
  const auto verdict = [](auto change) {
    numerics::Random random(3);
    CaseWriter w("GRU", 22);
    w.attribute("hidden_size", 2);
    w.input("X", normal(random, "float32", {1, 1, 2})), w.input("W", normal(random, "float32", {1, 6, 2})), w.input("R", normal(random, "float32", {1, 6, 2}));
    w.no_output(), w.output("Y_h", normal(random, "float32", {1, 1, 2}));
    change(w);
    const conformance::Outcome outcome = outcome_of(w);
    return outcome.line();
  };
  CHECK(verdict([](CaseWriter& w) { w.attribute("clip", 1.0); }).find("clip") != std::string::npos);
  CHECK(verdict([](CaseWriter& w) { w.attribute("activations", Json{"Relu", "Tanh"}); }).starts_with("skipped"));
  CHECK(verdict([](CaseWriter& w) { w.attribute("direction", "sideways"); }).starts_with("failed"));
  CHECK(verdict([](CaseWriter& w) { w.attribute("direction", "bidirectional"); }).starts_with("failed"));
  CHECK(verdict([](CaseWriter& w) { w.attribute("hidden_size", 3); }).starts_with("failed"));
  CHECK(verdict([](CaseWriter& w) { w.json["outputs"] = Json::array({nullptr, nullptr}); }).find("no output is expected") != std::string::npos);
}
