#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "ladder/mechanism.hpp"
#include "program/error.hpp"

namespace attention::ladder {

namespace detail {

template <class M>
class TrialOf final : public Trial {
 public:
  TrialOf(const M& mechanism, typename M::Problem problem) : mechanism_(mechanism), problem_(std::move(problem)) {}

  Shape shape() const override { return mechanism_.shape_of(problem_).worded(mechanism_.keys); }
  Cost cost() const override { return mechanism_.cost(problem_); }
  std::size_t workspace(std::size_t rung) const override {
    const auto bytes = mechanism_.ladder.at(rung).workspace;
    return bytes && unable(rung).empty() ? bytes(problem_) : 0;
  }
  std::string unable(std::size_t rung) const override {
    const auto reason = mechanism_.ladder.at(rung).unable;
    return reason ? reason(problem_) : std::string();
  }
  void run(std::size_t rung) override { mechanism_.ladder.at(rung).run(problem_, output_); }
  Index rows() const override { return mechanism_.rows ? mechanism_.rows(problem_) : 0; }
  std::unique_ptr<Trial> take_rows(std::span<const Index> rows) const override {
    return std::make_unique<TrialOf>(mechanism_, mechanism_.take_rows(problem_, rows));
  }
  std::unique_ptr<Trial> clone() const override { return std::make_unique<TrialOf>(mechanism_, problem_); }

  CheckResult check(std::size_t rung, std::span<const Index> rows) override {
    return compare(mechanism_.fields(output_), mechanism_.ladder.at(rung).blocks, rows);
  }
  CheckResult check_values(std::span<const float> values, std::span<const Index> rows) override {
    std::vector<Field> fields = mechanism_.fields(output_);
    if (fields.at(0).values.size() != values.size()) {
      mechanism_.prepare(problem_, output_);
      fields = mechanism_.fields(output_);
    }
    if (fields.at(0).values.size() != values.size())
      return {.fault = fmt::format("{}: {} values, {} were expected", fields[0].name, values.size(), fields[0].values.size())};
    for (Field& field : fields) field.values = {};
    fields[0].values = values;
    return compare(fields, Blocks{}, rows);
  }
  std::vector<ReferenceField> reference() override {
    keep_reference({});
    return mechanism_.reference_fields(problem_, *reference_, Blocks{});
  }
  void prepare() override {
    mechanism_.prepare(problem_, output_);
    spoil();
  }
  void spoil() override {
    for (const Field& field : mechanism_.fields(output_)) {
      // The answer is ours; Field shows it read-only because others only look.
      float* values = const_cast<float*>(field.values.data());
      std::fill(values, values + field.values.size(), std::numeric_limits<float>::quiet_NaN());
    }
  }
  std::vector<NamedTensor> tensors() const override { return mechanism_.tensors(problem_); }
  std::vector<Field> answer() const override { return mechanism_.fields(output_); }

 private:
  CheckResult compare(const std::vector<Field>& answer, const Blocks& blocks, std::span<const Index> rows) {
    keep_reference(rows);
    return compare_fields(answer, mechanism_.reference_fields(problem_, *reference_, blocks), rows);
  }
  void keep_reference(std::span<const Index> rows) {
    if (reference_ && std::ranges::equal(rows, reference_rows_)) return;
    reference_.reset();
    reference_ = rows.empty() ? mechanism_.reference(problem_) : mechanism_.reference(mechanism_.take_rows(problem_, rows));
    reference_rows_.assign(rows.begin(), rows.end());
  }

  const M& mechanism_;
  typename M::Problem problem_;
  typename M::Output output_;
  std::optional<typename M::Reference> reference_;
  std::vector<Index> reference_rows_;
};

template <class M>
class Published final : public AnyMechanism {
 public:
  explicit Published(const M& mechanism) : mechanism_(mechanism) {
    for (const auto& rung : mechanism.ladder)
      rungs_.push_back({rung.name, rung.idea, rung.parallel, rung.beside, rung.block_rows, rung.variant, rung.blocks.rounding > 0});
  }
  const std::string& name() const override { return mechanism_.name; }
  const std::string& title() const override { return mechanism_.title; }
  const std::string& citation() const override { return mechanism_.citation; }
  const std::string& chapter() const override { return mechanism_.chapter; }
  const std::vector<ShapeKey>& keys() const override { return mechanism_.keys; }
  const std::vector<StandardShape>& standard_shapes() const override { return mechanism_.standard_shapes; }
  const std::vector<Sweep>& sweeps() const override { return mechanism_.sweeps; }
  const std::vector<Index>& tile_edges() const override { return mechanism_.tile_edges; }
  const std::vector<RungInfo>& rungs() const override { return rungs_; }
  const std::vector<std::string>& tensor_names() const override { return mechanism_.tensor_names; }
  double footprint(const Shape& shape) const override { return mechanism_.footprint(shape); }
  std::unique_ptr<Trial> make(const Shape& shape, std::uint64_t seed, Hardness hardness) const override {
    return std::make_unique<TrialOf<M>>(mechanism_, mechanism_.make(shape, seed, hardness));
  }
  const std::vector<Setting>& settings() const override { return mechanism_.settings; }
  std::unique_ptr<Trial> from_inputs(std::span<const InputSource> tensors, const std::map<std::string, double>& settings) const override {
    if (tensors.size() != mechanism_.tensor_names.size())
      throw program::UserError(fmt::format("{} takes {} tensors ({}), {} were given", mechanism_.name,
                                           mechanism_.tensor_names.size(), fmt::join(mechanism_.tensor_names, ", "),
                                           tensors.size()));
    require_settings(settings, mechanism_.settings, mechanism_.name);
    return std::make_unique<TrialOf<M>>(mechanism_, mechanism_.from_inputs(Inputs(tensors, mechanism_.tensor_names, settings)));
  }

 private:
  const M& mechanism_;
  std::vector<RungInfo> rungs_;
};

}  // namespace detail

/// The mechanism for those who walk all of them; `mechanism` must outlive it.
template <class M>
MechanismPtr publish(const M& mechanism) {
  return std::make_shared<detail::Published<M>>(mechanism);
}

/// A trial of a problem that the caller has made himself.
template <class M>
std::unique_ptr<Trial> make_trial(const M& mechanism, typename M::Problem problem) {
  return std::make_unique<detail::TrialOf<M>>(mechanism, std::move(problem));
}

}  // namespace attention::ladder
