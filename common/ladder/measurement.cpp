#include "ladder/measurement.hpp"

#include <fmt/format.h>

#include <cmath>

#include "program/table.hpp"

namespace attention::ladder {

const char* status_name(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::sampled:
      return "sampled";
    case Status::skipped:
      return "skipped";
  }
  return "";
}

Json to_json(const Measurement& m) {
  Json shape = Json::object();
  for (const auto& [key, value] : m.shape.values()) {
    const std::string word = m.shape.word(key);
    shape[key] = word.empty() ? Json(value) : Json(word);
  }
  Json json = {{"mechanism", m.mechanism},
                         {"rung", m.rung},
                         {"idea", m.idea},
                         {"beside", m.beside}, {"variant", m.variant},
                         {"shape", shape},
                         {"threads", m.threads},
                         {"status", status_name(m.status)},
                         {"reason", m.reason}};
  if (m.status == Status::skipped) {
    for (const char* key : {"median_s", "spread_s", "aa_spread", "times_s", "cost", "gflops", "gbytes_per_s", "roof_kind", "roof_value",
                            "roof_share", "peak_extra_bytes", "peak_predicted", "max_error", "error_bound", "runs", "timed_rows", "rows",
                            "speedup_previous", "speedup_first", "within_noise"})
      json[key] = nullptr;
    json["checked_rows"] = 0;
    return json;
  }
  const auto optional = [](const std::optional<double>& value) { return value ? Json(*value) : Json(); };
  json.update({{"median_s", m.median_s},
               {"spread_s", m.spread_s},
               {"aa_spread", m.aa_spread},
               {"runs", m.runs},
               {"times_s", m.times_s},
               {"cost",
                {{"flops", m.cost.flops},
                 {"bytes", m.cost.bytes},
                 {"exps", m.cost.exps},
                 {"reciprocals", m.cost.reciprocals}}},
               {"gflops", m.gflops},
               {"gbytes_per_s", m.gbytes_per_s},
               {"roof_kind", m.roof_kind},
               {"roof_value", m.roof_value},
               {"roof_share", m.roof_share},
               {"peak_extra_bytes", optional(m.peak_extra_bytes)},
               {"peak_predicted", m.peak_predicted},
               {"max_error", m.max_error},
               {"error_bound", m.error_bound},
               {"checked_rows", m.checked_rows},
               {"timed_rows", m.timed_rows},
               {"rows", m.rows},
               {"speedup_previous", optional(m.speedup_previous)},
               {"speedup_first", optional(m.speedup_first)},
               {"within_noise", m.within_noise}});
  if (m.peer)
    json["peer"] = {{"version", m.peer->info.version}, {"kernel", m.peer->info.kernel},   {"threads", m.peer->info.threads},
                    {"copies", m.peer->info.copies},   {"around_s", m.peer->around_s},
                    {"operator_s", m.peer->own_time ? Json(m.median_s) : Json()}};
  return json;
}

std::string to_csv(const std::vector<Measurement>& measurements) {
  static const std::vector<std::string> columns = {
      "threads",    "status",     "reason",           "median_s",       "spread_s",  "aa_spread",   "gflops",
      "gbytes_per_s", "roof_kind", "roof_value",      "roof_share",     "peak_extra_bytes", "max_error", "error_bound",
      "checked_rows"};
  const auto cell = [](const Json& value) {
    if (value.is_null()) return std::string();
    if (!value.is_string()) return value.dump();
    std::string text = value.get<std::string>();
    if (text.find_first_of(",\"\n") == std::string::npos) return text;
    for (std::size_t at = 0; (at = text.find('"', at)) != std::string::npos; at += 2) text.insert(at, 1, '"');
    return '"' + text + '"';
  };
  std::string csv = "mechanism,rung";
  if (!measurements.empty())
    for (const auto& [key, value] : measurements.front().shape.values()) csv += ',' + key;
  for (const std::string& column : columns) csv += ',' + column;
  csv += '\n';
  for (const Measurement& m : measurements) {
    const Json json = to_json(m);
    csv += m.mechanism + ',' + m.rung;
    for (const auto& [key, value] : m.shape.values()) {
      const std::string word = m.shape.word(key);
      csv += ',' + (word.empty() ? std::to_string(value) : word);
    }
    for (const std::string& column : columns) csv += ',' + cell(json.at(column));
    csv += '\n';
  }
  return csv;
}

std::string format_seconds(double s) {
  if (s >= 100) return fmt::format("{:.0f} s", s);
  if (s >= 1) return fmt::format("{:.3g} s", s);
  if (s >= 1e-3) return fmt::format("{:.3g} ms", s * 1e3);
  if (s >= 1e-6) return fmt::format("{:.3g} µs", s * 1e6);
  return fmt::format("{:.3g} ns", s * 1e9);
}

std::string format_bytes(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:.3g} GB", bytes / 1e9);
  if (bytes >= 1e6) return fmt::format("{:.3g} MB", bytes / 1e6);
  if (bytes >= 1e3) return fmt::format("{:.3g} kB", bytes / 1e3);
  return fmt::format("{:.0f} B", bytes);
}

namespace {

std::string format_factor(const std::optional<double>& factor) {
  if (!factor) return "";
  return *factor >= 100 ? fmt::format("{:.0f}×", *factor) : fmt::format("{:.3g}×", *factor);
}

}  // namespace

std::string to_table(const std::vector<Measurement>& measurements) {
  program::Table table({{"rung"}, {"threads"}, {"time"}, {"±"}, {"A/A"}, {"over last"}, {"over first"}, {"GFLOP/s"},
                        {"share of roof"}, {"extra memory"}, {"error"}, {"allowed"}});
  bool sampled = false;
  bool noise = false;
  std::string skipped;
  std::string peers;
  for (const Measurement& m : measurements) {
    if (m.status == Status::skipped) {
      skipped += fmt::format("{} ({} threads): skipped, {}\n", m.rung, m.threads, m.reason);
      continue;
    }
    sampled = sampled || m.status == Status::sampled;
    noise = noise || m.within_noise;
    if (m.peer)
      peers += fmt::format("{} ({} threads): {}, {}{}\n", m.rung, m.peer->info.threads, m.peer->info.version, m.peer->info.kernel,
                           m.peer->own_time ? "; its operator's own time, " + format_seconds(m.peer->around_s) + " around it" : "");
    table.add({m.rung + (m.status == Status::sampled ? " *" : "") + (m.variant ? " (variant)" : m.beside && !m.peer ? " (library)" : ""),
               fmt::format("{}", m.threads), format_seconds(m.median_s), fmt::format("{:.1f} %", 100 * m.spread_s / m.median_s),
               fmt::format("{:.1f} %", 100 * m.aa_spread), format_factor(m.speedup_previous) + (m.within_noise ? " ~" : ""),
               format_factor(m.speedup_first), fmt::format("{:.3g}", m.gflops),
               fmt::format("{:.1f} % {}", 100 * m.roof_share, m.roof_kind),
               m.peak_extra_bytes ? format_bytes(*m.peak_extra_bytes) + (m.peak_predicted ? " *" : "") : "",
               fmt::format("{:.1e}", m.max_error), fmt::format("{:.1e}", m.error_bound)});
  }
  std::string text = table.text() + peers + skipped;
  if (sampled) text += "* timed on a sample of the rows and scaled up; its memory is computed from the sizes\n";
  if (noise) text += "~ inside the A/A spread: noise\n";
  return text;
}

}  // namespace attention::ladder
