#include "loaders/onnx_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

namespace attention::datasets {

namespace {

using program::one_line;
using program::UserError;
using tensor::Index;

constexpr std::uint64_t most_bytes = 64 << 20;
/// A short file could ask for much memory by many empty parts.
constexpr std::size_t most_nodes = 1 << 16;
constexpr std::size_t most_names = 1 << 12;
constexpr std::size_t most_attributes = 64;
static_assert(std::endian::native == std::endian::little, "numbers are copied as the file has them");

/// One message of protobuf: fields one after the other, each a number and a kind, then its value.
class Message {
 public:
  Message(std::string_view bytes, const std::string& file, const char* what) : left_(bytes), file_(&file), what_(what) {}

  [[noreturn]] void refuse(const std::string& fault) const {
    throw UserError(fmt::format("{}: {} in its {}; fetch the file again", *file_, fault, what_));
  }

  /// Steps to the next field; false at the end.
  bool next() {
    if (left_.empty()) return false;
    const std::uint64_t key = take_varint();
    field = key >> 3;
    kind_ = static_cast<int>(key & 7);
    if (field == 0) refuse("a field of number 0");
    switch (kind_) {
      case 0: number_ = take_varint(); break;
      case 1: content_ = take(8); break;
      case 2: content_ = take(take_varint()); break;
      case 5: content_ = take(4); break;
      default: refuse(fmt::format("a field of the unknown kind {}", kind_));
    }
    return true;
  }

  std::uint64_t field = 0;

  std::int64_t integer() const { return expect(0), static_cast<std::int64_t>(number_); }
  float real() const { return expect(5), real_at(content_.data()); }
  std::string_view bytes() const { return expect(2), content_; }
  std::string text() const { return std::string(bytes()); }
  /// A message within this one.
  Message message(const char* what) const { return {bytes(), *file_, what}; }

  /// Adds what the field holds: one number, or many packed together.
  void append_to(std::vector<std::int64_t>& list) const {
    if (kind_ == 0) return list.push_back(integer());
    for (Message packed = message(what_); !packed.left_.empty();) list.push_back(static_cast<std::int64_t>(packed.take_varint()));
  }
  void append_to(std::vector<float>& list) const {
    if (kind_ == 5) return list.push_back(real());
    if (bytes().size() % 4 != 0) refuse("a list of numbers that is cut off");
    for (std::size_t at = 0; at < content_.size(); at += 4) list.push_back(real_at(content_.data() + at));
  }

 private:
  void expect(int kind) const {
    if (kind_ != kind) refuse(fmt::format("field {} of kind {}, expected {},", field, kind_, kind));
  }

  static float real_at(const char* from) {
    float x;
    std::memcpy(&x, from, sizeof x);
    return x;
  }

  std::string_view take(std::uint64_t count) {
    if (count > left_.size()) refuse(fmt::format("a field of {} bytes where {} are left", count, left_.size()));
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(count));
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::uint64_t take_varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) return value;
    }
    refuse("a number of more than 64 bits");
  }

  std::string_view left_;
  const std::string* file_;
  const char* what_;
  int kind_ = 0;
  std::uint64_t number_ = 0;
  std::string_view content_;
};

/// Numbers from raw bytes, `Stored` each.
template <class Stored, class Number>
void copy_raw(std::string_view raw, std::vector<Number>& to) {
  for (std::size_t at = 0; at + sizeof(Stored) <= raw.size(); at += sizeof(Stored)) {
    Stored x;
    std::memcpy(&x, raw.data() + at, sizeof x);
    to.push_back(static_cast<Number>(x));
  }
}

OnnxTensor read_tensor(Message m) {
  OnnxTensor tensor;
  std::int64_t type = 0;
  std::string_view raw;
  bool is_raw = false;
  std::vector<std::int64_t> words32, words64;
  while (m.next()) switch (m.field) {
      case 1: m.append_to(tensor.shape); break;
      case 2: type = m.integer(); break;
      case 4: m.append_to(tensor.floats); break;
      case 5: m.append_to(words32); break;
      case 7: m.append_to(words64); break;
      case 8: tensor.name = m.text(); break;
      case 9: raw = m.bytes(), is_raw = true; break;
      case 3: m.refuse("a tensor in segments, which are not read,"); break;
      case 13: m.refuse("a tensor whose data lie in another file, which is not read,"); break;
      case 14:
        if (m.integer() != 0) m.refuse("a tensor whose data lie in another file, which is not read,");
        break;
      default: break;
    }
  const std::string name = one_line(tensor.name, 60);
  if (type != 1 && type != 6 && type != 7)
    m.refuse(fmt::format("the tensor '{}' of type {}, where float32 (1), int32 (6) and int64 (7) are read,", name, type));
  tensor.whole = type != 1;
  std::uint64_t count = 1;
  for (const Index length : tensor.shape) {
    if (length < 0 || (length > 0 && count > most_bytes / static_cast<std::uint64_t>(length)))
      m.refuse(fmt::format("the tensor '{}' of the impossible shape [{}]", name, fmt::join(tensor.shape, ", ")));
    count *= static_cast<std::uint64_t>(length);
  }
  if (is_raw) {
    const std::uint64_t bytes = count * (type == 7 ? 8 : 4);
    if (raw.size() != bytes)
      m.refuse(fmt::format("the tensor '{}' of shape [{}] with {} bytes in place of {}", name, fmt::join(tensor.shape, ", "), raw.size(), bytes));
    tensor.floats.clear();
    if (type == 1) copy_raw<float>(raw, tensor.floats);
    if (type == 6) copy_raw<std::int32_t>(raw, tensor.integers);
    if (type == 7) copy_raw<std::int64_t>(raw, tensor.integers);
  } else if (tensor.whole) {
    tensor.integers = type == 6 ? std::move(words32) : std::move(words64);
  }
  if (tensor.size() != count)
    m.refuse(fmt::format("the tensor '{}' of shape [{}] with {} numbers in place of {}", name, fmt::join(tensor.shape, ", "), tensor.size(), count));
  return tensor;
}

OnnxAttribute read_attribute(Message m) {
  using Kind = OnnxAttribute::Kind;
  OnnxAttribute a;
  std::int64_t type = 0;
  while (m.next()) switch (m.field) {
      case 1: a.name = m.text(); break;
      case 2: a.real = m.real(); break;
      case 3: a.integer = m.integer(); break;
      case 4: a.text = m.text(); break;
      case 5: a.tensor = read_tensor(m.message("tensor")); break;
      case 7: m.append_to(a.reals); break;
      case 8: m.append_to(a.integers); break;
      case 20: type = m.integer(); break;
      default: break;
    }
  switch (type) {
    case 1: a.kind = Kind::real; break;
    case 2: a.kind = Kind::integer; break;
    case 3: a.kind = Kind::text; break;
    case 4: a.kind = Kind::tensor; break;
    case 6: a.kind = Kind::reals; break;
    case 7: a.kind = Kind::integers; break;
    default: m.refuse(fmt::format("the attribute '{}' of type {}, which is not read,", one_line(a.name, 60), type));
  }
  return a;
}

/// Throws where a list already has as many parts as it may have.
template <class List>
void require_room(const Message& m, const List& list, std::size_t most) {
  if (list.size() >= most) m.refuse(fmt::format("more than {} parts", most));
}

OnnxNode read_node(Message m) {
  OnnxNode node;
  while (m.next()) switch (m.field) {
      case 1: require_room(m, node.inputs, most_names), node.inputs.push_back(m.text()); break;
      case 2: require_room(m, node.outputs, most_names), node.outputs.push_back(m.text()); break;
      case 4: node.op = m.text(); break;
      case 5: require_room(m, node.attributes, most_attributes), node.attributes.push_back(read_attribute(m.message("attribute"))); break;
      case 7: node.domain = m.text(); break;
      default: break;
    }
  return node;
}

/// The name of an input or output; its type is what comes.
std::string read_value_name(Message m) {
  std::string name;
  while (m.next())
    if (m.field == 1) name = m.text();
  if (name.empty()) m.refuse("an input or output without a name");
  return name;
}

void read_graph(Message m, OnnxModel& model) {
  while (m.next()) switch (m.field) {
      case 1: require_room(m, model.nodes, most_nodes), model.nodes.push_back(read_node(m.message("node"))); break;
      case 5: require_room(m, model.constants, most_nodes), model.constants.push_back(read_tensor(m.message("tensor"))); break;
      case 11: require_room(m, model.inputs, most_names), model.inputs.push_back(read_value_name(m.message("input"))); break;
      case 12: require_room(m, model.outputs, most_names), model.outputs.push_back(read_value_name(m.message("output"))); break;
      case 15: m.refuse("a sparse tensor, which is not read,"); break;
      default: break;
    }
  std::set<std::string_view> constants;
  for (const OnnxTensor& constant : model.constants) constants.insert(constant.name);
  std::erase_if(model.inputs, [&](const std::string& name) { return constants.contains(name); });
}

}  // namespace

OnnxModel parse_onnx(std::string_view bytes, const std::string& name) {
  OnnxModel model;
  int graphs = 0;
  Message m(bytes, name, "model");
  while (m.next()) switch (m.field) {
      case 7:
        if (++graphs > 1) m.refuse("a second graph");
        read_graph(m.message("graph"), model);
        break;
      case 8: {
        Message set = m.message("list of operators");
        std::string domain;
        std::int64_t version = 0;
        while (set.next()) {
          if (set.field == 1) domain = set.text();
          if (set.field == 2) version = set.integer();
        }
        if (domain.empty() || domain == "ai.onnx") model.opset = version;
        break;
      }
      case 25: m.refuse("a function, which is not read,"); break;
      default: break;
    }
  if (graphs == 0) m.refuse("no graph");
  if (model.opset < 1) m.refuse("no version of the operators");
  return model;
}

OnnxModel read_onnx(const std::filesystem::path& file) {
  program::InputFile input(file);
  if (input.size() > most_bytes) throw UserError(fmt::format("{}: {} bytes, models of at most {} are read", input.name(), input.size(), most_bytes));
  std::string bytes(static_cast<std::size_t>(input.size()), '\0');
  input.read(bytes.data(), bytes.size());
  return parse_onnx(bytes, input.name());
}

}  // namespace attention::datasets
