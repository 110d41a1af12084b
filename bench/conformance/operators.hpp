#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "conformance/case.hpp"
#include "conformance/report.hpp"

namespace attention::conformance {

/// A standard operator. To add one: a file with its `run`, and a line in operators.cpp.
struct Operator {
  std::string_view name;
  Index first_opset = 1;  ///< the oldest version of the standard in which it means what `run` computes
  std::vector<std::string_view> attributes;
  std::vector<std::string_view> inputs;  ///< in their order; a case may call them otherwise
  std::size_t required_inputs = 1;       ///< so many of the first must be there
  std::vector<std::string_view> outputs;
  /// Computes the case with every rung that can serve it and holds each against the expected outputs. Throws UserError where the
  /// case contradicts itself, NotKnown where it asks for what is not known here.
  void (*run)(const Case&, Report&) = nullptr;
  bool first_output_optional = false;  ///< any one output will do
};

/// All that are known.
std::span<const Operator> operators();

/// Null where there is none.
const Operator* find_operator(std::string_view name);

// One file each.
void run_attention(const Case& given, Report& report);
void run_rotary_embedding(const Case& given, Report& report);
void run_linear_attention(const Case& given, Report& report);
void run_softmax(const Case& given, Report& report);
void run_layer_normalization(const Case& given, Report& report);
void run_lstm(const Case& given, Report& report);
void run_gru(const Case& given, Report& report);

void run_convolution(const Case& given, Report& report);
void run_max_pool(const Case& given, Report& report);
void run_average_pool(const Case& given, Report& report);
void run_global_max_pool(const Case& given, Report& report);
void run_global_average_pool(const Case& given, Report& report);
void run_batch_normalization(const Case& given, Report& report);

}  // namespace attention::conformance
