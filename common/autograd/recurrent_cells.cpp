#include "autograd/recurrent_cells.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "autograd/arithmetic.hpp"
#include "autograd/lanes.hpp"
#include "autograd/product.hpp"

namespace attention::autograd {

namespace {

/// Where a step's rows lie, and what all of them have in common.
struct Step {
  Index batch, hidden, gates;
  Index offset;  ///< of the step's first row within `input`
};

template <class Real>
Step step_of(const char* name, Index gates, Index states, const Variable<Real>& input, Index step, const Variable<Real>& recurrent, const Variable<Real>& state, const Active& active) {
  const Step s{.batch = state.extent(0), .hidden = state.extent(-1) / states, .gates = gates, .offset = step * state.extent(0) * gates * (state.extent(-1) / states)};
  const Index width = gates * s.hidden;
  if (state.rank() != 2 || state.extent(1) % states != 0 || recurrent.shape() != Shape{static_cast<std::size_t>(s.batch), static_cast<std::size_t>(width)} ||
      input.extent(-1) != width || step < 0 || s.offset + s.batch * width > input.size() || (!active.empty() && std::ssize(active) != s.batch))
    throw std::invalid_argument(fmt::format("{}: step {} of {}, products {}, state {} and {} marks do not fit", name, step, as_text(input.shape()),
                                            as_text(recurrent.shape()), as_text(state.shape()), active.size()));
  return s;
}

bool ended(const Active& active, Index row) { return !active.empty() && active[static_cast<std::size_t>(row)] == 0; }

/// The gates' gradients, to the input's rows of this step and to the products of the state.
template <class Real>
void hand_on(const Step& s, const ArrayOf<Real>& gates, const Variable<Real>& to, Index offset) {
  if (to.needs_gradient()) add(gates.data(), s.batch * s.gates * s.hidden, to.gradient() + offset);
}

}  // namespace

template <class Real>
Variable<Real> gru_cell(const Variable<Real>& input, Index step, const Variable<Real>& recurrent, const Variable<Real>& state, const Active& active) {
  const Step s = step_of("gru_cell", 3, 1, input, step, recurrent, state, active);
  const Index n = s.hidden;
  const std::size_t batch = static_cast<std::size_t>(s.batch);
  ArrayOf<Real> result = tensor::empty_array<Real>({batch, static_cast<std::size_t>(n)});
  ArrayOf<Real> gates = tensor::empty_array<Real>({batch, static_cast<std::size_t>(3 * n)});  // z, r, n
  for (Index b = 0; b < s.batch; ++b) {
    const Real* h = state.data() + b * n;
    Real* to = result.data() + b * n;
    if (ended(active, b)) {
      std::copy_n(h, n, to);
      continue;
    }
    const Real* x = input.data() + s.offset + b * 3 * n;
    const Real* u = recurrent.data() + b * 3 * n;
    Real* g = gates.data() + b * 3 * n;
    for_lanes<Real>(n, [=](Index at, auto count) {
      const auto read = [&](const Real* from) { return load_lanes(from + at, count); };
      const auto z = sigmoid_of(read(x) + read(u));
      const auto r = sigmoid_of(read(x + n) + read(u + n));
      const auto c = tanh_of(read(x + 2 * n) + r * read(u + 2 * n));
      store_lanes<Real>(to + at, c + z * (read(h) - c), count);
      store_lanes<Real>(g + at, z, count);
      store_lanes<Real>(g + n + at, r, count);
      store_lanes<Real>(g + 2 * n + at, c, count);
    });
  }
  return state.tape().record(std::move(result), {input, recurrent, state},
                             [=, gates = std::move(gates)](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    ArrayOf<Real> of_input = tensor::filled_array<Real>(tensor::shape_of(gates), 0);
    ArrayOf<Real> of_recurrent = of_input;
    for (Index b = 0; b < s.batch; ++b) {
      const Real* d = gradient.data() + b * n;
      Real* to_state = state.needs_gradient() ? state.gradient() + b * n : nullptr;
      if (ended(active, b)) {
        if (to_state) add(d, n, to_state);
        continue;
      }
      const Real* h = state.data() + b * n;
      const Real* h_n = recurrent.data() + b * 3 * n + 2 * n;
      const Real* z = gates.data() + b * 3 * n;
      const Real* r = z + n;
      const Real* c = z + 2 * n;
      Real* x = of_input.data() + b * 3 * n;
      Real* u = of_recurrent.data() + b * 3 * n;
      for (Index i = 0; i < n; ++i) {
        const Real by_c = d[i] * (1 - z[i]) * (1 - c[i] * c[i]);
        x[i] = u[i] = d[i] * (h[i] - c[i]) * z[i] * (1 - z[i]);
        x[n + i] = u[n + i] = by_c * h_n[i] * r[i] * (1 - r[i]);
        x[2 * n + i] = by_c;
        u[2 * n + i] = by_c * r[i];
        if (to_state) to_state[i] += d[i] * z[i];
      }
    }
    hand_on(s, of_input, input, s.offset);
    hand_on(s, of_recurrent, recurrent, 0);
  });
}

template <class Real>
Variable<Real> lstm_cell(const Variable<Real>& input, Index step, const Variable<Real>& recurrent, const Variable<Real>& state, const Active& active,
                         const Variable<Real>* peepholes) {
  const Step s = step_of("lstm_cell", 4, 2, input, step, recurrent, state, active);
  const Index n = s.hidden;
  if (peepholes && peepholes->size() != 3 * n) throw std::invalid_argument(fmt::format("lstm_cell: {} peepholes for {} units", peepholes->size(), n));
  const std::size_t batch = static_cast<std::size_t>(s.batch);
  ArrayOf<Real> result = tensor::empty_array<Real>({batch, static_cast<std::size_t>(2 * n)});
  ArrayOf<Real> gates = tensor::empty_array<Real>({batch, static_cast<std::size_t>(5 * n)});  // i, o, f, g, tanh(c')
  const std::vector<Real> none(static_cast<std::size_t>(3 * n), 0);
  const Real* p = peepholes ? peepholes->data() : none.data();
  for (Index b = 0; b < s.batch; ++b) {
    const Real* h = state.data() + b * 2 * n;
    Real* to = result.data() + b * 2 * n;
    if (ended(active, b)) {
      std::copy_n(h, 2 * n, to);
      continue;
    }
    const Real* x = input.data() + s.offset + b * 4 * n;
    const Real* u = recurrent.data() + b * 4 * n;
    Real* saved = gates.data() + b * 5 * n;
    for_lanes<Real>(n, [=](Index at, auto count) {
      const auto read = [&](const Real* from) { return load_lanes(from + at, count); };
      const auto c = read(h + n);
      const auto i = sigmoid_of(read(x) + read(u) + read(p) * c);
      const auto f = sigmoid_of(read(x + 2 * n) + read(u + 2 * n) + read(p + 2 * n) * c);
      const auto g = tanh_of(read(x + 3 * n) + read(u + 3 * n));
      const auto next = f * c + i * g;
      const auto o = sigmoid_of(read(x + n) + read(u + n) + read(p + n) * next);
      const auto squashed = tanh_of(next);
      store_lanes<Real>(to + at, o * squashed, count);
      store_lanes<Real>(to + n + at, next, count);
      store_lanes<Real>(saved + at, i, count);
      store_lanes<Real>(saved + n + at, o, count);
      store_lanes<Real>(saved + 2 * n + at, f, count);
      store_lanes<Real>(saved + 3 * n + at, g, count);
      store_lanes<Real>(saved + 4 * n + at, squashed, count);
    });
  }
  std::vector<Variable<Real>> inputs{input, recurrent, state};
  if (peepholes) inputs.push_back(*peepholes);
  return state.tape().record(std::move(result), inputs, [=, gates = std::move(gates)](const ArrayOf<Real>& next, ArrayOf<Real>& gradient) {
    ArrayOf<Real> of_gates = tensor::filled_array<Real>({batch, static_cast<std::size_t>(4 * n)}, 0);
    const bool peeping = inputs.size() == 4;
    const Real* peep = peeping ? inputs[3].data() : none.data();
    for (Index b = 0; b < s.batch; ++b) {
      const Real* d = gradient.data() + b * 2 * n;
      Real* to_state = state.needs_gradient() ? state.gradient() + b * 2 * n : nullptr;
      if (ended(active, b)) {
        if (to_state) add(d, 2 * n, to_state);
        continue;
      }
      const Real* c = state.data() + b * 2 * n + n;
      const Real* c_next = next.data() + b * 2 * n + n;
      const Real* i_gate = gates.data() + b * 5 * n;
      const Real* o_gate = i_gate + n;
      const Real* f_gate = i_gate + 2 * n;
      const Real* g_gate = i_gate + 3 * n;
      const Real* squashed = i_gate + 4 * n;
      Real* to = of_gates.data() + b * 4 * n;
      for (Index k = 0; k < n; ++k) {
        const Real by_o = d[k] * squashed[k] * o_gate[k] * (1 - o_gate[k]);
        const Real by_c = d[n + k] + d[k] * o_gate[k] * (1 - squashed[k] * squashed[k]) + by_o * peep[n + k];
        to[k] = by_c * g_gate[k] * i_gate[k] * (1 - i_gate[k]);
        to[n + k] = by_o;
        to[2 * n + k] = by_c * c[k] * f_gate[k] * (1 - f_gate[k]);
        to[3 * n + k] = by_c * i_gate[k] * (1 - g_gate[k] * g_gate[k]);
        if (to_state) to_state[n + k] += by_c * f_gate[k] + to[k] * peep[k] + to[2 * n + k] * peep[2 * n + k];
      }
      if (peeping && inputs[3].needs_gradient()) {
        Real* into = inputs[3].gradient();
        for (Index k = 0; k < n; ++k) {
          into[k] += to[k] * c[k];
          into[n + k] += to[n + k] * c_next[k];
          into[2 * n + k] += to[2 * n + k] * c[k];
        }
      }
    }
    hand_on(s, of_gates, input, s.offset);
    hand_on(s, of_gates, recurrent, 0);
  });
}

#define ATTENTION_DEFINE(Real)                                                                                                            \
  template Variable<Real> gru_cell(const Variable<Real>&, Index, const Variable<Real>&, const Variable<Real>&, const Active&);            \
  template Variable<Real> lstm_cell(const Variable<Real>&, Index, const Variable<Real>&, const Variable<Real>&, const Active&, const Variable<Real>*);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
