#include "look_at_texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "explanation_report.hpp"
#include "head_measures.hpp"
#include "program/table.hpp"
#include "program/terminal.hpp"
#include "program/text.hpp"
#include "program/words_by_weight.hpp"
#include "read_by_encoder.hpp"
#include "record/maps_on_terminal.hpp"
#include "record_files.hpp"

namespace attention::visualising {

namespace fs = std::filesystem;
using multi_head::SentenceEncoder;

namespace {

/// A longer text's maps are on the page alone.
constexpr std::size_t pieces_on_terminal = 32;

std::string coloured(const std::vector<std::string>& labels, const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += std::max(v, 0.0);
  std::vector<float> shares;
  for (const double v : values) shares.push_back(static_cast<float>(sum > 0 ? std::max(v, 0.0) / sum : 0));
  return program::words_by_weight(labels, shares, program::wants_colour(program::Stream::output));
}

void print(const EncoderReading& reading, std::ostream& out) {
  const std::vector<std::string>& labels = reading.record.keys.labels;
  out << reading.record.title << '\n';
  if (labels.size() <= pieces_on_terminal) {
    out << "What each head looks at, layer.head; a line is a query\n";
    record::print_maps(labels, reading.record.weights, out);
  } else {
    out << fmt::format("(the maps of {} pieces are too large for the terminal; the page has them)\n",
                       labels.size());
  }
  program::Table table({"head", "entropy, bits", "of the most", "distance", "largest weight"});
  for (const HeadMeasures& m : head_measures(reading.record))
    table.add({fmt::format("{}.{}", m.layer, m.head), fmt::format("{:.2f}", m.entropy),
               fmt::format("{:.0f} %", 100 * m.entropy_share), fmt::format("{:.1f}", m.distance.value_or(0)),
               fmt::format("{:.2f}", m.largest)});
  out << table.text(2);
  out << "  looked at   " << coloured(labels, reading.received) << '\n'
      << "  rollout     " << coloured(labels, reading.rolled) << '\n'
      << "  flow        " << coloured(labels, reading.flowing) << '\n'
      << "  left out    " << coloured(labels, reading.leave_one_out) << "\n\n";
}

}  // namespace

std::vector<std::string> look_at_texts(std::span<const std::string> texts, const SentenceEncoder& encoder,
                                       const ladder::Results& results, std::ostream& out) {
  std::vector<std::string> names;
  Json list = Json::array();
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<std::size_t> pieces = encoder.tokeniser().encode(texts[i]);
    if (pieces.empty()) {
      out << fmt::format("Text {} has no pieces, and so no maps.\n", i + 1);
      continue;
    }
    if (list.size() == most_texts) {
      ++left_out;
      continue;
    }
    EncoderReading reading = read_with(encoder, pieces, program::one_line(texts[i], 70));
    reading.record.machine = results.machine();
    const std::string name = fmt::format("text_{}", i + 1);
    record::write(reading.record, results.folder(), name);
    names.push_back(name);
    for (std::string& derived : write_over_layers(reading.record, results.folder(), name))
      names.push_back(std::move(derived));
    write_for_bertviz(reading.record, results.folder() / "bertviz", name);
    print(reading, out);
    if (pieces.size() > reading.received.size())
      out << fmt::format("  (the encoder takes {} pieces of a sentence; {} were left out)\n\n",
                         reading.received.size(), pieces.size() - reading.received.size());
    Json heads = Json::array();
    for (const HeadMeasures& m : head_measures(reading.record))
      heads.push_back({{"head", fmt::format("{}.{}", m.layer, m.head)},
                       {"entropy", m.entropy},
                       {"of the most", m.entropy_share},
                       {"distance", m.distance.value_or(0)},
                       {"largest weight", m.largest}});
    list.push_back({{"text", texts[i]},
                    {"record", name},
                    {"pieces", reading.record.keys.labels},
                    {"received", reading.received},
                    {"rollout", reading.rolled},
                    {"flow", reading.flowing},
                    {"leave_one_out", reading.leave_one_out},
                    {"heads", heads}});
  }
  if (left_out > 0) out << fmt::format("{} more texts were left out: {} are taken.\n", left_out, most_texts);
  if (!list.empty()) {
    const std::string name = list[0]["record"];
    out << fmt::format("For bertviz, in {}:\n{}\n", (results.folder() / "bertviz").string(),
                       bertviz_lines(record::read(results.folder() / (name + ".attention.json")), name));
  }
  // The heads of the first text are the table that the lesson quotes.
  results.write("texts", {{"texts", list}, {"rows", list.empty() ? Json::array() : list[0]["heads"]}});
  return names;
}

void look_at_own_texts(std::span<const std::string> texts, const SentenceEncoder& encoder,
                       const fs::path& folder, const fs::path& evidence, std::ostream& out) {
  // Before anything is written or removed: it may be damaged.
  std::optional<record::EvidenceRecord> answers;
  if (!evidence.empty()) answers = record::read_evidence(evidence);
  const ladder::Results results(folder, "05_visualising_attention/text", false, true);
  results.remove_former({"text", "explanation.json"});
  fs::remove_all(results.folder() / "bertviz");
  const std::vector<std::string> names = look_at_texts(texts, encoder, results, out);
  Json page = Json::array();
  for (const std::string& name : names)
    page.push_back({{"name", name}, {"file", name + ".attention.json"}, {"chapter", ""}});
  results.write("page", {{"records", page}});
  std::vector<ladder::Figure> figures;
  if (answers) figures = report_explanation(*answers, results, "explanation", "own_", out);
  results.write_summary(figures);
  out << fmt::format("Results are in {}\n", results.folder().string());
}

}  // namespace attention::visualising
