#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ladder/mechanism.hpp"

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
    if (std::optional<CheckResult> misfit = put_in_place_of_first(values, fields)) return *misfit;
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
    spoil_fields(mechanism_.fields(output_));
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
std::vector<RungInfo> rungs_of(const M& mechanism) {
  std::vector<RungInfo> rungs;
  for (const auto& rung : mechanism.ladder)
    rungs.push_back({std::string(rung.name), std::string(rung.idea), rung.parallel, rung.beside, rung.block_rows, rung.variant, rung.blocks.rounding > 0});
  return rungs;
}

template <class M>
class Published final : public AnyMechanism {
 public:
  explicit Published(const M& mechanism) : AnyMechanism(mechanism, rungs_of(mechanism)), mechanism_(mechanism) {}
  std::unique_ptr<Trial> make(const Shape& shape, std::uint64_t seed, Hardness hardness) const override {
    return std::make_unique<TrialOf<M>>(mechanism_, mechanism_.make(shape, seed, hardness));
  }
  std::unique_ptr<Trial> from_inputs(std::span<const InputSource> tensors, const std::map<std::string, double>& settings) const override {
    require_inputs(tensors.size(), settings);
    return std::make_unique<TrialOf<M>>(mechanism_, mechanism_.from_inputs(Inputs(tensors, mechanism_.tensor_names, settings)));
  }

 private:
  const M& mechanism_;
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
