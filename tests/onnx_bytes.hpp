#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/// Models in the exchange format ONNX, written byte by byte for the tests: https://protobuf.dev/programming-guides/encoding.
namespace attention::tests::onnx {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>((value & 127) | 128);
  return bytes + static_cast<char>(value);
}
inline std::string number(std::uint64_t field, std::int64_t value) { return varint(field << 3) + varint(static_cast<std::uint64_t>(value)); }
inline std::string bytes(std::uint64_t field, const std::string& content) { return varint(field << 3 | 2) + varint(content.size()) + content; }
template <class Number>
std::string raw(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

/// A tensor's content; type 1 is float32, 7 is int64.
inline std::string stored_tensor(const std::string& name, const std::vector<std::int64_t>& shape, std::int64_t type, const std::string& data) {
  std::string content;
  for (const std::int64_t length : shape) content += number(1, length);
  return content + number(2, type) + bytes(8, name) + bytes(9, data);
}
inline std::string floats(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& numbers) {
  return stored_tensor(name, shape, 1, raw(numbers));
}

/// Attributes as a node has them.
inline std::string attribute(const std::string& name, std::int64_t value) { return bytes(5, bytes(1, name) + number(3, value) + number(20, 2)); }
inline std::string attribute(const std::string& name, const std::vector<std::int64_t>& values) {
  std::string content = bytes(1, name);
  for (const std::int64_t value : values) content += number(8, value);
  return bytes(5, content + number(20, 7));
}
inline std::string real_attribute(const std::string& name, float value) {
  return bytes(5, bytes(1, name) + varint(2 << 3 | 5) + raw(std::vector<float>{value}) + number(20, 1));
}
inline std::string tensor_attribute(const std::string& name, const std::string& content) { return bytes(5, bytes(1, name) + bytes(5, content) + number(20, 4)); }

inline std::string node(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs, const std::string& attributes = "") {
  std::string content;
  for (const std::string& name : inputs) content += bytes(1, name);
  for (const std::string& name : outputs) content += bytes(2, name);
  return bytes(1, content + bytes(4, op) + attributes);
}
inline std::string constant(const std::string& tensor) { return bytes(5, tensor); }

/// A model of input x and output y.
inline std::string model(const std::string& nodes_and_constants, std::int64_t opset = 9) {
  const std::string graph = nodes_and_constants + bytes(2, "graph") + bytes(11, bytes(1, "x")) + bytes(12, bytes(1, "y"));
  return number(1, 8) + bytes(7, graph) + bytes(8, bytes(1, "") + number(2, opset));
}

}  // namespace attention::tests::onnx
