#include "record/evidence_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "program/atomic_file.hpp"
#include "program/error.hpp"
#include "program/text.hpp"
#include "record/document.hpp"
#include "tensor/npy.hpp"

namespace attention::record {

namespace {

using program::one_line;
namespace fs = std::filesystem;

constexpr std::size_t evidence_schema = 1;
constexpr std::size_t figures = 3;  // of a word

using Figures = std::array<std::vector<float> EvidenceText::*, figures>;
constexpr Figures figures_of{&EvidenceText::attention, &EvidenceText::leave_one_out, &EvidenceText::gradient};
constexpr std::array<const char*, figures> names{"attention", "leave_one_out", "gradient"};

bool finite(const tensor::Tensor<2>& values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

void check_text(const std::string& subject, const EvidenceText& text, std::size_t number,
                std::size_t classes) {
  const auto fail = [&](const std::string& what) {
    refuse(subject, fmt::format("text {}: {}", number, what));
  };
  if (text.words.empty()) fail("no words");
  if (text.label >= classes) fail(fmt::format("class {}, but there are {}", text.label, classes));
  for (std::size_t f = 0; f < figures; ++f) {
    const std::vector<float>& values = text.*figures_of[f];
    if (values.size() != text.words.size())
      fail(fmt::format("{} values of {} for {} words", values.size(), names[f], text.words.size()));
    if (const auto bad = std::ranges::find_if(values, [](float v) { return !std::isfinite(v); });
        bad != values.end())
      fail(fmt::format("{} of word {} is {}", names[f], bad - values.begin() + 1, *bad));
  }
  double sum = 0;
  for (const float weight : text.attention) {
    if (weight < 0) fail(fmt::format("attention {}, expected at least 0", weight));
    sum += static_cast<double>(weight);
  }
  if (std::abs(sum - 1) > 1e-3) fail(fmt::format("attention sums to {}, expected 1", sum));
}

void check(const std::string& subject, const EvidenceRecord& record) {
  if (record.classes.size() < 2) refuse(subject, "fewer than two classes");
  if (record.texts.empty()) refuse(subject, "no texts");
  std::size_t words = 0;
  for (std::size_t i = 0; i < record.texts.size(); ++i) {
    check_text(subject, record.texts[i], i + 1, record.classes.size());
    words += record.texts[i].words.size();
  }
  const auto &states = record.states.shape(), &output = record.output.shape();
  if (states[0] != words || states[1] == 0)
    refuse(subject,
           fmt::format("states of shape ({}, {}), but the texts have {} words", states[0], states[1], words));
  if (output[0] != states[1] + 1 || output[1] != record.classes.size())
    refuse(subject, fmt::format("output of shape ({}, {}), expected ({}, {}): states' numbers and 1, classes",
                                output[0], output[1], states[1] + 1, record.classes.size()));
  if (!finite(record.states) || !finite(record.output))
    refuse(subject, "states or output: a number is not finite");
}

/// The fields of a document as a record.
class EvidenceReader : Document {
 public:
  explicit EvidenceReader(const fs::path& file) : Document(file, evidence_schema) {}

  EvidenceRecord read() const {
    EvidenceRecord record;
    record.title = text(json(), "title");
    record.real = real();
    record.machine = json().value("machine", Json(nullptr));
    record.classes = texts_of(json(), "classes");
    const auto table = tensor::load<float, 2>(beside(text(json(), "words"), "words"));
    if (table.shape()[1] != figures)
      refuse(subject(),
             fmt::format("words of shape ({}, {}), expected 3 columns", table.shape()[0], table.shape()[1]));
    std::size_t row = 0;
    for (const Json& item : field(json(), "texts", Json::value_t::array)) {
      if (!item.is_object()) refuse(subject(), "texts: expected objects");
      EvidenceText& t = record.texts.emplace_back();
      t.words = texts_of(item, "words");
      t.label = number(item, "class");
      if (table.shape()[0] - row < t.words.size())
        refuse(subject(), fmt::format("words has {} rows, but the texts have more words", table.shape()[0]));
      for (std::size_t w = 0; w < t.words.size(); ++w, ++row)
        for (std::size_t f = 0; f < figures; ++f) (t.*figures_of[f]).push_back(table(row, f));
    }
    if (row != table.shape()[0])
      refuse(subject(), fmt::format("words has {} rows, but the texts have {} words", table.shape()[0], row));
    record.states = tensor::load<float, 2>(beside(text(json(), "states"), "states"));
    record.output = tensor::load<float, 2>(beside(text(json(), "output"), "output"));
    check(subject(), record);
    return record;
  }

 private:
  std::vector<std::string> texts_of(const Json& object, const char* name) const {
    std::vector<std::string> list;
    for (const Json& item : field(object, name, Json::value_t::array)) {
      if (!item.is_string())
        refuse(subject(), fmt::format("{}: an item is of type {}, expected string", name, item.type_name()));
      list.push_back(item.get<std::string>());
    }
    return list;
  }
};

}  // namespace

void write(const EvidenceRecord& record, const fs::path& folder, const std::string& name) {
  const std::string subject = fmt::format("evidence record {}", one_line(name));
  if (name.empty() || name.find('/') != std::string::npos)
    refuse(subject, "expected a file name without a folder");
  check(subject, record);
  auto table = tensor::empty<2>({record.states.shape()[0], figures});
  std::size_t row = 0;
  Json texts = Json::array();
  for (const EvidenceText& text : record.texts) {
    texts.push_back({{"words", text.words}, {"class", text.label}});
    for (std::size_t w = 0; w < text.words.size(); ++w, ++row)
      for (std::size_t f = 0; f < figures; ++f) table(row, f) = (text.*figures_of[f])[w];
  }
  const std::string words_file = name + ".words.npy", states_file = name + ".states.npy",
                    output_file = name + ".output.npy";
  Json document{
      {"schema", evidence_schema}, {"title", record.title}, {"data", record.real ? "real" : "stand_in"},
      {"classes", record.classes}, {"texts", texts},        {"words", words_file},
      {"states", states_file},     {"output", output_file}};
  if (!record.machine.is_null()) document["machine"] = record.machine;
  program::make_folder(folder);
  tensor::save(folder / words_file, table);
  tensor::save(folder / states_file, record.states);
  tensor::save(folder / output_file, record.output);
  program::write_file(folder / (name + ".evidence.json"),
                      document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

EvidenceRecord read_evidence(const fs::path& file) { return EvidenceReader(file).read(); }

}  // namespace attention::record
