#include "conformance/runner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <new>
#include <system_error>

#include "conformance/operators.hpp"
#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::conformance {

namespace {

namespace fs = std::filesystem;
using program::one_line;
using program::UserError;

std::string in_quotes(std::string_view name) { return fmt::format("'{}'", one_line(name, 60)); }

/// Throws NotKnown where the case has something that the operator, as it is known here, has not; UserError where it lacks
/// something.
void require_known(const Description& d, const Operator& op) {
  if (d.opset < op.first_opset)
    throw NotKnown(fmt::format("opset {} is not known here; {} is known from opset {}", d.opset, op.name, op.first_opset));
  for (const auto& [name, value] : d.attributes.items())
    if (std::ranges::find(op.attributes, name) == op.attributes.end())
      throw NotKnown(fmt::format("the attribute {} is not known", in_quotes(name)));
  const auto check = [](const auto& tensors, std::size_t known, const char* what) {
    for (std::size_t place = known; place < tensors.size(); ++place)
      if (tensors[place])
        throw NotKnown(fmt::format("the {} {}, number {}, is not known", what, in_quotes(tensors[place]->name), place + 1));
  };
  check(d.inputs, op.inputs.size(), "input");
  check(d.outputs, op.outputs.size(), "output");
  for (std::size_t place = 0; place < op.required_inputs; ++place)
    if (place >= d.inputs.size() || !d.inputs[place])
      throw UserError(fmt::format("case.json: the input {} is missing", op.inputs[place]));
  if (op.first_output_optional) {
    if (std::ranges::none_of(d.outputs, [](const auto& output) { return output.has_value(); }))
      throw UserError("case.json: no output is expected");
  } else if (d.outputs.empty() || !d.outputs.front()) {
    throw UserError(fmt::format("case.json: the output {} is missing", op.outputs.front()));
  }
}

void find_below(const fs::path& folder, std::vector<fs::path>& found) {
  std::error_code error;
  if (fs::exists(folder / "case.json", error)) found.push_back(folder);
  fs::directory_iterator entries(folder, error);
  if (error) throw UserError(fmt::format("cannot read the folder {}: {}", one_line(folder.string()), error.message()));
  for (const fs::directory_entry& entry : entries)
    if (entry.is_directory(error) && !entry.is_symlink(error)) find_below(entry.path(), found);
}

}  // namespace

std::string Outcome::line() const {
  const char* word = verdict == Verdict::passed ? "passed" : verdict == Verdict::failed ? "failed" : "skipped";
  const std::string of = op.empty() ? "" : fmt::format(" ({})", one_line(op, 60));
  const std::string begin = fmt::format("{} {}{}: ", word, one_line(name), of);
  if (report.rungs().empty()) return begin + one_line(reason, 1000);
  std::string figures = fmt::format("worst error {:.2g}", report.error());
  if (report.aim_share()) figures += fmt::format(", {:.2g} of our aim", *report.aim_share());
  if (report.half_share()) figures += fmt::format(", {:.2g} of half's tolerance", *report.half_share());
  figures += fmt::format(", rungs {}", fmt::join(report.rungs(), " "));
  return begin + (reason.empty() ? "" : one_line(reason, 1000) + "; ") + figures;
}

std::vector<fs::path> find_cases(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  const std::string name = one_line(folder.string());
  if (!fs::exists(status)) throw UserError(fmt::format("there is no folder {}; give the folder that holds the cases", name));
  if (!fs::is_directory(status)) throw UserError(fmt::format("{} is not a folder; give the folder that holds the cases", name));
  std::vector<fs::path> found;
  find_below(folder, found);
  if (found.empty()) throw UserError(fmt::format("no case below {}: none of its folders holds a case.json", name));
  std::ranges::sort(found);
  return found;
}

Outcome run_case(const fs::path& folder, const std::string& name) {
  Outcome outcome;
  outcome.name = name;
  try {
    const Description description = read_description(folder);
    outcome.op = description.op;
    const Operator* op = find_operator(description.op);
    if (op == nullptr) throw NotKnown(fmt::format("the operator {} is not known here", in_quotes(description.op)));
    require_known(description, *op);
    const Case given = read_tensors(folder, description);
    op->run(given, outcome.report);
    outcome.verdict = outcome.report.passed() ? Verdict::passed : Verdict::failed;
    outcome.reason = outcome.report.fault();
  } catch (const NotKnown& what) {
    outcome.verdict = Verdict::skipped;
    outcome.reason = what.what();
  } catch (const std::bad_alloc&) {
    outcome.reason = "there is not enough memory for it";
  } catch (const std::exception& error) {
    outcome.reason = error.what();
  }
  return outcome;
}

std::string Summary::text() const {
  std::string text;
  if (aim_share)
    text += fmt::format("worst in float32: {:.2g} of our aim (rtol {:g}, atol {:g}), {}\n", *aim_share, aim.relative,
                        aim.absolute, one_line(aim_case));
  if (half_share)
    text += fmt::format("worst in float16: {:.2g} of half's tolerance (rtol {:.2g}, atol {:.2g}), {}\n", *half_share,
                        half.relative, half.absolute, one_line(half_case));
  return text + fmt::format("{} passed, {} failed, {} skipped\n", passed, failed, skipped);
}

Summary run_cases(const fs::path& folder, const std::function<void(const Outcome&)>& done) {
  Summary summary;
  const auto keep_worst = [](std::optional<double>& worst, std::string& name, const std::optional<double>& share,
                             const Outcome& of) {
    if (share && (!worst || *share > *worst)) worst = share, name = of.name;
  };
  for (const fs::path& path : find_cases(folder)) {
    const fs::path below = path.lexically_relative(folder);
    const fs::path whole = fs::absolute(path).lexically_normal();
    const std::string own = (whole.has_filename() ? whole : whole.parent_path()).filename().string();
    const Outcome outcome = run_case(path, below.empty() || below == "." ? own : below.string());
    (outcome.verdict == Verdict::passed   ? summary.passed
     : outcome.verdict == Verdict::failed ? summary.failed
                                          : summary.skipped)++;
    keep_worst(summary.aim_share, summary.aim_case, outcome.report.aim_share(), outcome);
    keep_worst(summary.half_share, summary.half_case, outcome.report.half_share(), outcome);
    done(outcome);
  }
  return summary;
}

}  // namespace attention::conformance
