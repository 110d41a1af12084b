#pragma once

#include <any>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ladder/publish.hpp"

/// Exercises: a reader writes a rung of his own, which is checked, told which mistake it has, and put on the ladder.
namespace attention::exercise {

using ladder::Index;

/// The arrays of an answer, in the mechanism's order. An empty one: nothing is said of it.
using Arrays = std::vector<std::vector<double>>;

/// A mistake that is often made: the answer that one gets by it, computed on purpose.
template <class Problem>
struct Mistake {
  std::string name;     ///< "no_maximum"; several may share one, as the sizes of a tile do
  std::string meaning;  ///< what was done, and what to look at: a sentence
  std::function<Arrays(const Problem&)> answer;
};

/// Shares of the roof, 0 to 1, from which on a right rung earns a mark.
struct Marks {
  double bronze = 0;
  double silver = 0;
  double gold = 0;
};

/// What an exercise asks for. The reader's function is my_NAME; its file is NUMBER_NAME.cpp.
struct Task {
  std::string name;
  std::vector<std::pair<std::string, Index>> fixed = {};  ///< sizes that the exercise keeps, as {"causal", 0}
  std::string timed;                                      ///< the shape on which the rung is put among the others
  bool parallel = false;  ///< whether it should use all threads; placed with all of them, else with one
  Marks marks;
};

/// One problem, with what is right and what each mistake would give.
class Case {
 public:
  virtual ~Case() = default;
  virtual ladder::Shape shape() const = 0;
  virtual ladder::Cost cost() const = 0;
  /// Gives the answer its size, all of it `with`.
  virtual void fill(float with) = 0;
  /// All of it a NaN that no computation makes: what is not written can be told.
  void spoil();
  virtual void run() = 0;
  virtual std::vector<ladder::Field> answer() const = 0;
  /// What is right, and how far rounding may lead from it. Valid for as long as the case lives.
  virtual const std::vector<ladder::ReferenceField>& right() = 0;
  virtual Arrays wrong(std::size_t mistake) const = 0;
};

/// An exercise as the check sees it.
struct Exercise {
  Task task;
  struct Known {
    std::string name;
    std::string meaning;
  };
  std::vector<Known> mistakes;
  /// The mechanism with the reader's rung, "yours", as the last of its ladder. `run` holds a pointer to his function.
  std::function<ladder::MechanismPtr(const std::any& run)> with;
  std::function<std::unique_ptr<Case>(const ladder::Shape&, std::uint64_t seed, ladder::Hardness, const std::any& run)>
      make;
};

/// Whether this value is one that spoil() left.
bool is_unwritten(float value);
/// Overwrites the arrays, though a Field shows them read-only.
void fill_fields(const std::vector<ladder::Field>& fields, float with);

namespace detail {

template <class M>
using Run = void (*)(const typename M::Problem&, typename M::Output&);

template <class M>
class CaseOf final : public Case {
 public:
  using Problem = typename M::Problem;

  CaseOf(const M& mechanism, std::shared_ptr<const std::vector<Mistake<Problem>>> mistakes, Problem problem,
         Run<M> rung)
      : mechanism_(mechanism), mistakes_(std::move(mistakes)), problem_(std::move(problem)), run_(rung) {}

  ladder::Shape shape() const override { return mechanism_.shape_of(problem_).worded(mechanism_.keys); }
  ladder::Cost cost() const override { return mechanism_.cost(problem_); }
  void fill(float with) override {
    mechanism_.prepare(problem_, output_);
    fill_fields(mechanism_.fields(output_), with);
  }
  void run() override { run_(problem_, output_); }
  std::vector<ladder::Field> answer() const override { return mechanism_.fields(output_); }
  const std::vector<ladder::ReferenceField>& right() override {
    if (!reference_) {
      reference_ = mechanism_.reference(problem_);
      right_ = mechanism_.reference_fields(problem_, *reference_, ladder::Blocks{});
    }
    return right_;
  }
  Arrays wrong(std::size_t mistake) const override { return mistakes_->at(mistake).answer(problem_); }

 private:
  const M& mechanism_;
  std::shared_ptr<const std::vector<Mistake<Problem>>> mistakes_;
  Problem problem_;
  Run<M> run_;
  typename M::Output output_;
  std::optional<typename M::Reference> reference_;
  std::vector<ladder::ReferenceField> right_;
};

}  // namespace detail

/// The exercise on `mechanism`, which must outlive it.
template <class M>
Exercise describe(Task task, const M& mechanism, std::vector<Mistake<typename M::Problem>> mistakes) {
  Exercise exercise;
  for (const auto& mistake : mistakes) exercise.mistakes.push_back({mistake.name, mistake.meaning});
  const auto shared = std::make_shared<const std::vector<Mistake<typename M::Problem>>>(std::move(mistakes));
  exercise.make = [&mechanism, shared](const ladder::Shape& shape, std::uint64_t seed, ladder::Hardness hardness,
                                       const std::any& run) {
    return std::make_unique<detail::CaseOf<M>>(mechanism, shared, mechanism.make(shape, seed, hardness),
                                               std::any_cast<detail::Run<M>>(run));
  };
  exercise.with = [&mechanism, parallel = task.parallel](const std::any& run) -> ladder::MechanismPtr {
    struct Held {
      M mechanism;
      ladder::MechanismPtr published;
    };
    const auto held = std::make_shared<Held>();
    held->mechanism = mechanism;
    held->mechanism.ladder.push_back(
        {"yours", "what you wrote", std::any_cast<detail::Run<M>>(run), nullptr, {}, parallel});
    held->published = ladder::publish(held->mechanism);
    return {held, held->published.get()};
  };
  exercise.task = std::move(task);
  return exercise;
}

}  // namespace attention::exercise
