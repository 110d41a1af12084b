// The table of operators.
#include "conformance/operators.hpp"

#include <algorithm>

namespace attention::conformance {

std::span<const Operator> operators() {
  static const std::vector<Operator> all{
      {"Attention",
       23,
       {"scale", "softcap", "is_causal", "q_num_heads", "kv_num_heads", "qk_matmul_output_mode", "softmax_precision",
        "left_window_size", "right_window_size"},
       {"Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen"},
       3,
       {"Y", "present_key", "present_value", "qk_matmul_output"},
       run_attention},
      {"RotaryEmbedding",
       23,
       {"interleaved", "num_heads", "rotary_embedding_dim"},
       {"X", "cos_cache", "sin_cache", "position_ids"},
       3,
       {"Y"},
       run_rotary_embedding},
      {"LinearAttention",
       27,
       {"q_num_heads", "kv_num_heads", "scale", "update_rule", "chunk_size"},
       {"query", "key", "value", "past_state", "decay", "beta"},
       3,
       {"output", "present_state"},
       run_linear_attention},
      {"Softmax", 13, {"axis"}, {"input"}, 1, {"output"}, run_softmax},
      {"LayerNormalization",
       17,
       {"axis", "epsilon", "stash_type"},
       {"X", "Scale", "B"},
       2,
       {"Y", "Mean", "InvStdDev"},
       run_layer_normalization},
      {"LSTM",
       7,
       {"hidden_size", "direction", "layout", "input_forget", "activations"},
       {"X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"},
       3,
       {"Y", "Y_h", "Y_c"},
       run_lstm,
       true},
      {"GRU",
       7,
       {"hidden_size", "direction", "layout", "linear_before_reset", "activations"},
       {"X", "W", "R", "B", "sequence_lens", "initial_h"},
       3,
       {"Y", "Y_h"},
       run_gru,
       true},
      {"Conv",
       1,
       {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"},
       {"X", "W", "B"},
       2,
       {"Y"},
       run_convolution},
      {"MaxPool",
       1,
       {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"},
       {"X"},
       1,
       {"Y", "Indices"},
       run_max_pool,
       true},
      {"AveragePool",
       7,
       {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"},
       {"X"},
       1,
       {"Y"},
       run_average_pool},
      {"GlobalMaxPool", 1, {}, {"X"}, 1, {"Y"}, run_global_max_pool},
      {"GlobalAveragePool", 1, {}, {"X"}, 1, {"Y"}, run_global_average_pool},
      // Opset 9 has no training_mode: there further outputs mean training.
      {"BatchNormalization",
       14,
       {"epsilon", "momentum", "training_mode"},
       {"X", "scale", "B", "input_mean", "input_var"},
       5,
       {"Y", "running_mean", "running_var"},
       run_batch_normalization},
  };
  return all;
}

const Operator* find_operator(std::string_view name) {
  const auto found = std::ranges::find(operators(), name, &Operator::name);
  return found == operators().end() ? nullptr : &*found;
}

}  // namespace attention::conformance
