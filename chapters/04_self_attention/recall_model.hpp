#pragma once

#include <string>
#include <vector>

#include "autograd/layers.hpp"
#include "autograd/recurrent.hpp"
#include "program/json.hpp"
#include "recall_task.hpp"

/// Models that answer the recall task, each with one way to look back.
namespace attention::self_attention {

using autograd::Tape;
using autograd::Variable;

/// How the last token learns of those before it.
enum class LookBack {
  attention,    ///< one head over all tokens (Vaswani and others 2017, equation 1)
  window,       ///< the same over the last recall_window tokens
  linear,       ///< the same with φ(q)·φ(k) in the place of exp(q·k), φ = elu + 1 (Katharopoulos and others 2020, equation 7)
  recurrent,    ///< a gated recurrent unit reads the tokens, its last state is what is left
  convolution,  ///< three causal convolutions, recall_kernel tokens wide each
};
inline constexpr LookBack all_look_backs[] = {LookBack::attention, LookBack::window, LookBack::linear, LookBack::recurrent, LookBack::convolution};
/// "attention", "window", "linear", "recurrent", "convolution".
std::string name_of(LookBack way);

inline constexpr Index recall_window = 16;       ///< tokens before the last that the window sees
inline constexpr Index recall_kernel = 5;        ///< tokens wide; three layers see 3 · (recall_kernel − 1) tokens before the last
inline constexpr Index recall_layers = 3;
inline constexpr Index recall_width = 32;        ///< numbers of a token, of q, k and v
inline constexpr Index recall_hidden = 64;       ///< units of the recurrent net, channels of the convolution

/// How many steps back a model can have seen what is asked for: recall_pairs where nothing limits it.
Index reach_of(LookBack way);

template <class Real>
struct RecallModel {
  LookBack way = LookBack::attention;
  autograd::Embedding<Real> names;   ///< [recall_names, recall_width]
  autograd::Embedding<Real> values;  ///< [recall_values + 1, recall_width]; the last row stands for "asked for"
  autograd::Linear<Real> query, key, value;  ///< of the three kinds of attention, [recall_width, recall_width]
  autograd::Gru<Real> recurrent;
  std::vector<autograd::Linear<Real>> convolutions;  ///< [recall_kernel · channels before, recall_hidden]
  autograd::Linear<Real> output;                     ///< to recall_values scores

  RecallModel() = default;
  /// With random weights.
  RecallModel(LookBack way, std::uint64_t seed);

  /// Scores of the values, [sequences, recall_values].
  Variable<Real> operator()(Tape<Real>& tape, const RecallBatch& batch) const;
  autograd::ParameterList<Real> parameters();
  Json configuration() const;
};

/// Whether each answer of a batch is right.
std::vector<bool> answered(const RecallModel<float>& model, const RecallBatch& batch);

extern template struct RecallModel<float>;
extern template struct RecallModel<double>;

}  // namespace attention::self_attention
