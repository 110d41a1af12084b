#include "exercise/check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "exercise/guard.hpp"
#include "exercise/tried.hpp"
#include "ladder/awkward_shapes.hpp"
#include "machine/affinity.hpp"

namespace attention::exercise {

namespace {

/// What ends a check at once: the rung threw, or wrote where it must not.
struct Broken {
  std::string name;
  std::string reason;
};

class Check {
 public:
  Check(const Exercise& exercise, const std::any& run, const Effort& effort,
        const std::function<void(std::string_view)>& doing)
      : exercise_(exercise), effort_(effort), doing_(doing) {
    const ladder::MechanismPtr mechanism = exercise.with(run);
    std::uint64_t seed = 0;
    std::size_t count = 0;
    for (const ladder::Shape& shape : ladder::awkward_shapes(*mechanism, effort.most_flops, 1, exercise.task.fixed)) {
      if (effort.few && count % 10 != 0 && count > 10) {
        ++count;
        continue;
      }
      const ladder::Hardness hard = ladder::all_hardness[1 + count++ % (std::size(ladder::all_hardness) - 1)];
      for (const ladder::Hardness hardness : {ladder::Hardness::plain, hard}) {
        Tried one;
        one.problem = exercise.make(shape, ++seed, hardness, run);
        one.shape = one.problem->shape();
        one.hardness = hardness;
        tried_.push_back(std::move(one));
      }
    }
    // The smallest problem that shows a mistake is the easiest to follow by hand.
    std::ranges::stable_sort(tried_, {}, [](const Tried& one) { return one.problem->cost().flops; });
  }

  Verdict run() {
    verdict_.problems = tried_.size();
    try {
      with_one_thread();
      if (verdict_.failed > 0)
        diagnose(exercise_, tried_, verdict_);
      else if (exercise_.task.parallel)
        with_several_threads();
    } catch (const Broken& broken) {
      verdict_.name = broken.name;
      verdict_.reason = broken.reason;
      verdict_.failed = std::max<std::size_t>(verdict_.failed, 1);
    }
    verdict_.passed = verdict_.failed == 0;
    return verdict_;
  }

 private:
  Answer answer_of(const Tried& one, int threads) {
    const std::string where = fmt::format("{}, {} thread{}", one.text(), threads, threads == 1 ? "" : "s");
    doing_(where);
    one.problem->spoil();
    try {
      one.problem->run();
    } catch (const std::exception& error) {
      verdict_.seen = where + ": " + error.what();
      throw Broken{"throws", "The rung threw an exception instead of an answer."};
    }
    if (memory_damaged && memory_damaged()) {
      verdict_.seen = where;
      throw Broken{"out_of_bounds",
                   "Something was written just beyond an array, or before it: an index runs too far. With "
                   "--sanitize address the check tells the line."};
    }
    return keep(*one.problem);
  }

  void with_one_thread() {
    machine::use_threads(1);
    for (Tried& one : tried_) {
      one.answer = answer_of(one, 1);
      one.fault = fault_of(one.answer, *one.problem);
      if (one.fault) ++verdict_.failed;
    }
  }

  /// All answers of one thread are right. With more they must be, and the same each time.
  void with_several_threads() {
    bool other_bits = false;
    for (const int threads : {2, 3}) {
      machine::use_threads(threads);
      for (std::size_t i = 0; i < tried_.size(); i += 3) {
        Tried& one = tried_[i];
        const Answer now = answer_of(one, threads);
        if (const auto fault = fault_of(now, *one.problem)) return name_fault(one, now, *fault, threads);
        other_bits = other_bits || !same_bits(now, one.answer);
      }
    }
    // Threads that run for a moment only may never meet: the most work, again and again.
    machine::use_threads(4);
    for (int i = 0; i < effort_.race_runs; ++i) {
      Tried& largest =
          tried_[tried_.size() - 1 - static_cast<std::size_t>(i) % std::min<std::size_t>(5, tried_.size())];
      const Answer now = answer_of(largest, 4);
      if (const auto fault = fault_of(now, *largest.problem)) return name_fault(largest, now, *fault, 4);
      other_bits = other_bits || !same_bits(now, largest.answer);
    }
    if (other_bits)
      verdict_.note =
          "The last bits depend on the number of threads, within what rounding allows. The course's own rungs split "
          "their sums "
          "by the shape alone, so that they do not.";
  }

  void name_fault(Tried& one, const Answer& answer, const Fault& fault, int threads) {
    ++verdict_.failed;
    verdict_.seen = fmt::format("{}, {} threads: {}", one.text(), threads, describe(fault, answer, *one.problem));
    const std::vector<float>& array = answer.arrays[fault.array];
    // A race leaves another answer each time; a part that no thread takes is missing each time.
    bool same = std::ranges::any_of(array, is_unwritten);
    for (int i = 0; i < effort_.race_runs && same; ++i) same = same_bits(answer_of(one, threads), answer);
    if (same) {
      verdict_.name = "rows_left_over";
      verdict_.reason =
          "Right with one thread; with more the same places are left unwritten each time: rows are left over where "
          "their "
          "number is no multiple of the threads'.";
    } else {
      verdict_.name = "race";
      verdict_.reason =
          "Right with one thread, wrong with more, and not the same each time: threads write to memory that they "
          "share. "
          "Declare each buffer and each sum inside the parallel loop. With --sanitize thread the check tells the line.";
    }
  }

  const Exercise& exercise_;
  const Effort& effort_;
  const std::function<void(std::string_view)>& doing_;
  std::vector<Tried> tried_;
  Verdict verdict_;
};

}  // namespace

Verdict check(const Exercise& exercise, const std::any& run, const Effort& effort,
              const std::function<void(std::string_view)>& doing) {
  return Check(exercise, run, effort, doing).run();
}

}  // namespace attention::exercise
