#pragma once

#include <cstdint>
#include <vector>

#include "autograd/tape.hpp"

namespace attention::autograd {

/// Which sequences of a batch are still going on at a step: one mark each; empty: all. Where a sequence has ended its state stays.
using Active = std::vector<std::uint8_t>;

/// One step of a gated recurrent unit (Cho and others 2014, in the form with the reset gate behind the product, which needs one
/// product a step):
///
///     z = σ(x_z + h_z),  r = σ(x_r + h_r),  n = tanh(x_n + r ∘ h_n),  h' = (1 − z) ∘ n + z ∘ h
///
/// `input` [… , batch, 3 · hidden] holds x_z, x_r, x_n side by side for many steps, of which `step` is taken; `recurrent`
/// [batch, 3 · hidden] the products h_z, h_r, h_n of the state; `state` [batch, hidden] is h. Gives h' [batch, hidden].
template <class Real>
Variable<Real> gru_cell(const Variable<Real>& input, Index step, const Variable<Real>& recurrent, const Variable<Real>& state, const Active& active = {});

/// One step of long short-term memory (Hochreiter and Schmidhuber 1997; forget gate: Gers and others 2000):
///
///     i = σ(x_i + h_i + p_i ∘ c),  f = σ(x_f + h_f + p_f ∘ c),  g = tanh(x_g + h_g),
///     c' = f ∘ c + i ∘ g,  o = σ(x_o + h_o + p_o ∘ c'),  h' = o ∘ tanh(c')
///
/// `input` [… , batch, 4 · hidden] holds x_i, x_o, x_f, x_g side by side for many steps, of which `step` is taken; `recurrent`
/// [batch, 4 · hidden] the products with h; `state` [batch, 2 · hidden] is h beside c. `peepholes` (Gers and Schmidhuber 2000),
/// [3 · hidden], are p_i, p_o, p_f; null: none. Gives h' beside c' [batch, 2 · hidden].
template <class Real>
Variable<Real> lstm_cell(const Variable<Real>& input, Index step, const Variable<Real>& recurrent, const Variable<Real>& state, const Active& active = {},
                         const Variable<Real>* peepholes = nullptr);

#define ATTENTION_DECLARE(Real)                                                                                                                  \
  extern template Variable<Real> gru_cell(const Variable<Real>&, Index, const Variable<Real>&, const Variable<Real>&, const Active&);            \
  extern template Variable<Real> lstm_cell(const Variable<Real>&, Index, const Variable<Real>&, const Variable<Real>&, const Active&, const Variable<Real>*);
ATTENTION_DECLARE(float)
ATTENTION_DECLARE(double)
#undef ATTENTION_DECLARE

}  // namespace attention::autograd
