#include "layers/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "layers/network_operators.hpp"
#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::convolutional {

namespace {

using datasets::OnnxNode;
using program::one_line;
using program::UserError;

std::string shown(const OnnxNode& node) {
  return fmt::format("the network's node {} ({})", node.outputs.empty() ? "without outputs" : one_line(node.outputs.front(), 60), one_line(node.op, 40));
}

[[noreturn]] void refuse(const OnnxNode& node, const std::string& fault) { throw UserError(fmt::format("{}: {}", shown(node), fault)); }

void require_known(const OnnxNode& node) {
  const NetworkOperator* op = find_network_operator(node.op);
  const bool constant = node.op == "Constant";
  if (!node.domain.empty() && node.domain != "ai.onnx") refuse(node, fmt::format("its operator is of the domain '{}', which is not known here", one_line(node.domain, 60)));
  if (!op && !constant) refuse(node, "its operator is not known here");
  if (node.outputs.size() != 1 || node.outputs.front().empty()) refuse(node, "expected one output");
  const std::size_t least = constant ? 0 : op->inputs;
  const std::size_t most = constant ? 0 : op->most_inputs;
  if (node.inputs.size() < least || node.inputs.size() > most) refuse(node, fmt::format("{} inputs, expected {} to {}", node.inputs.size(), least, most));
  std::set<std::string_view> names;
  for (const datasets::OnnxAttribute& attribute : node.attributes) {
    const bool known = constant ? attribute.name == "value" : std::ranges::find(op->attributes, attribute.name) != op->attributes.end();
    if (!known) refuse(node, fmt::format("its attribute '{}' is not known here", one_line(attribute.name, 60)));
    if (!names.insert(attribute.name).second) refuse(node, fmt::format("its attribute '{}' is given twice", one_line(attribute.name, 60)));
  }
}

}  // namespace

Network::Network(datasets::OnnxModel model) : model_(std::move(model)) {
  if (model_.opset < 9 || model_.opset > 10)
    throw UserError(fmt::format("the network is of opset {}; opsets 9 and 10 are known here", model_.opset));
  if (model_.inputs.size() != 1 || model_.outputs.size() != 1)
    throw UserError(fmt::format("the network has {} inputs and {} outputs, expected one each", model_.inputs.size(), model_.outputs.size()));
  std::set<std::string> given{model_.inputs.front()};
  const auto give = [&](const std::string& name) {
    if (!given.insert(name).second) throw UserError(fmt::format("the network gives '{}' twice", one_line(name, 60)));
  };
  for (const datasets::OnnxTensor& constant : model_.constants) {
    give(constant.name);
    constants_[constant.name] = value_of(constant);
  }
  std::vector<OnnxNode> nodes;
  for (OnnxNode& node : model_.nodes) {
    require_known(node);
    for (const std::string& input : node.inputs)
      if (!input.empty() && !given.contains(input)) refuse(node, fmt::format("it takes '{}', which nothing before it gives", one_line(input, 60)));
    give(node.outputs.front());
    if (node.op == "Constant")
      constants_[node.outputs.front()] = value_of(NodeAttributes(node).tensor("value"));
    else
      nodes.push_back(std::move(node));
  }
  model_.nodes = std::move(nodes);
  model_.constants.clear();
  if (!given.contains(model_.outputs.front())) throw UserError(fmt::format("nothing in the network gives its output '{}'", one_line(model_.outputs.front(), 60)));
  for (std::size_t i = 0; i < model_.nodes.size(); ++i)
    for (const std::string& input : model_.nodes[i].inputs) last_use_[input] = i;
  last_use_[model_.outputs.front()] = model_.nodes.size();
}

Index Network::count(std::string_view op) const { return std::ranges::count(model_.nodes, op, &OnnxNode::op); }

Value Network::run(Value input, const Watch& watch) const {
  std::map<std::string, Value> values;
  values[model_.inputs.front()] = std::move(input);
  const auto find = [&](const std::string& name) -> const Value* {
    if (name.empty()) return nullptr;
    const auto value = values.find(name);
    return value != values.end() ? &value->second : &constants_.at(name);
  };
  for (std::size_t i = 0; i < model_.nodes.size(); ++i) {
    const OnnxNode& node = model_.nodes[i];
    const NetworkOperator& op = *find_network_operator(node.op);
    std::vector<const Value*> inputs(op.most_inputs, nullptr);
    for (std::size_t place = 0; place < node.inputs.size(); ++place) inputs[place] = find(node.inputs[place]);
    for (std::size_t place = 0; place < op.inputs; ++place)
      if (!inputs[place]) refuse(node, fmt::format("input {} is left out", place + 1));
    Value output;
    try {
      output = op.run(inputs, NodeAttributes(node));
    } catch (const UserError& fault) {
      refuse(node, fault.what());
    }
    if (watch) watch(node, output);
    for (const std::string& name : node.inputs)
      if (const auto last = last_use_.find(name); last != last_use_.end() && last->second == i) values.erase(name);
    values[node.outputs.front()] = std::move(output);
  }
  return *find(model_.outputs.front());
}

}  // namespace attention::convolutional
