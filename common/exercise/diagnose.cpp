#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "exercise/tried.hpp"

namespace attention::exercise {

namespace {

constexpr Index tiles[] = {256, 128, 64, 48, 32, 24, 16, 12, 8, 4, 2};

std::string_view values_of(ladder::Hardness hardness) {
  switch (hardness) {
    case ladder::Hardness::plain:
      return "plain numbers";
    case ladder::Hardness::large_scores:
      return "large scores";
    case ladder::Hardness::equal_keys:
      return "equal keys";
    case ladder::Hardness::outlier:
      return "an outlier at the end";
    case ladder::Hardness::tiny:
      return "tiny numbers";
  }
  return "";
}

/// At most `count` of them, evenly spread.
std::vector<Tried*> spread(const std::vector<Tried*>& all, std::size_t count) {
  std::vector<Tried*> chosen;
  for (std::size_t i = 0; i < std::min(count, all.size()); ++i)
    chosen.push_back(all[i * all.size() / std::min(count, all.size())]);
  return chosen;
}

class Diagnosis {
 public:
  Diagnosis(const Exercise& exercise, std::vector<Tried>& tried, Verdict& verdict)
      : exercise_(exercise), verdict_(verdict) {
    for (Tried& one : tried) (one.fault ? wrong_ : right_).push_back(&one);
    all_ = wrong_;
    all_.insert(all_.end(), right_.begin(), right_.end());
    array_ = wrong_.front()->fault->array;
    for (const Tried* one : wrong_) array_ = std::min(array_, one->fault->array);
  }

  void run() {
    Tried& first = **std::ranges::find_if(wrong_, [&](const Tried* one) { return one->fault->array == array_; });
    verdict_.seen = fmt::format("{}: {}", first.text(), describe(*first.fault, first.answer, *first.problem));
    if (wrong_size(first) || unwritten() || changing(first) || known()) return;
    verdict_.reason = "None of the usual mistakes gives these answers. " + circumstances();
  }

 private:
  void name(std::string name, std::string reason) {
    verdict_.name = std::move(name);
    verdict_.reason = std::move(reason);
  }

  bool wrong_size(const Tried& first) {
    if (first.fault->place >= 0) return false;
    name("wrong_size",
         "The output has another size than is asked for: call prepare(p, out, …) first and leave the sizes as they "
         "are.");
    return true;
  }

  /// The same problem once more, by one thread: an answer that changes was made from memory that nobody set.
  bool changing(Tried& first) {
    first.problem->spoil();
    first.problem->run();
    Answer again = keep(*first.problem);
    // What is not asked for may hold anything.
    for (std::size_t a = array_ + 1; a < again.arrays.size(); ++a) again.arrays[a] = first.answer.arrays[a];
    if (same_bits(again, first.answer)) return false;
    name("uninitialised",
         "The same problem gives another answer the second time, with one thread: something is read before it is set "
         "(a sum that does not start from 0, a buffer used again).");
    return true;
  }

  /// Rows of the array, as they lie in it, of which a part was never written.
  std::vector<bool> unwritten_rows(const Tried& one) const {
    const ladder::Field& form = one.answer.form[array_];
    const std::vector<float>& values = one.answer.arrays[array_];
    std::vector<bool> rows(static_cast<std::size_t>(form.groups * form.rows));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (is_unwritten(values[i])) rows.at(i / static_cast<std::size_t>(form.row_size)) = true;
    return rows;
  }

  bool unwritten() {
    bool nothing = right_.empty();
    Tried* some = nullptr;
    for (Tried* one : wrong_) {
      const std::size_t count =
          static_cast<std::size_t>(std::ranges::count_if(one->answer.arrays[array_], is_unwritten));
      nothing = nothing && count == one->answer.arrays[array_].size();
      if (count > 0 && !some) some = one;
    }
    const std::string array = wrong_.front()->answer.form[array_].name;
    if (some && added_to(*some)) {
      name("not_zeroed",
           fmt::format("out.{} is only added to: what it held before is part of the sum. Set it to 0 first.", array));
      verdict_.seen = fmt::format("{}: out.{} is added to and never set", some->text(), array);
      return true;
    }
    if (nothing) {
      name("nothing_written", fmt::format("Nothing was written to out.{}: it is still to be filled.", array));
      return true;
    }
    if (!some) return false;
    for (const Index tile : tiles)
      if (std::ranges::all_of(all_, [&](const Tried* one) { return only_the_last_tile(*one, tile); })) {
        name(
            "last_tile",
            fmt::format(
                "The rows beyond the last whole {} are never written: the loop over tiles of {} rows forgets the last, "
                "shorter one. A tile ends at min(first + {}, rows).",
                tile, tile, tile));
        return true;
      }
    name("unwritten", fmt::format("A part of out.{} is never written: let the loops reach every row and column. {}",
                                  array, circumstances()));
    return true;
  }

  /// Whether places that look as if nobody wrote to them change where they hold 0 before: then the rung adds to what was there.
  bool added_to(Tried& one) const {
    one.problem->fill(0);
    one.problem->run();
    const std::vector<float> now = keep(*one.problem).arrays[array_];
    const std::vector<float>& before = one.answer.arrays[array_];
    for (std::size_t i = 0; i < now.size(); ++i)
      if (is_unwritten(before.at(i)) && now[i] != 0) return true;
    return false;
  }

  bool only_the_last_tile(const Tried& one, Index tile) const {
    const Index rows = one.answer.form[array_].rows;
    const std::vector<bool> missing = unwritten_rows(one);
    for (std::size_t i = 0; i < missing.size(); ++i)
      if (missing[i] != (static_cast<Index>(i) % rows >= rows / tile * tile)) return false;
    return true;
  }

  /// Whether a known mistake explains the answers, the right ones too.
  bool known() {
    std::vector<Tried*> wrong;
    std::ranges::copy_if(wrong_, std::back_inserter(wrong),
                         [&](const Tried* one) { return one->fault->array == array_; });
    std::vector<Tried*> looked_at = spread(wrong, 24);
    for (Tried* one : spread(right_, 12)) looked_at.push_back(one);
    // What is right though its values are of the same kind tells most.
    std::vector<Tried*> alike;
    std::ranges::copy_if(right_, std::back_inserter(alike),
                         [&](const Tried* one) { return one->hardness == wrong.front()->hardness; });
    for (Tried* one : spread(alike, 12)) looked_at.push_back(one);

    std::pair<double, double> best{0, 0};
    for (std::size_t mistake = 0; mistake < exercise_.mistakes.size(); ++mistake) {
      Match all;
      int fitting = 0;
      int telling = 0;
      for (Tried* one : looked_at) {
        const auto found = match(one->answer, *one->problem, one->problem->wrong(mistake), array_);
        if (!found) break;
        all.departing += found->departing;
        all.explained += found->explained;
        telling += found->departing > 0 ? 1 : 0;
        fitting += found->fits() ? 1 : 0;
        if (telling - fitting > 3) break;
      }
      if (!all.fits() || fitting < 0.9 * telling) continue;
      // Two mistakes may give the same outputs and differ in what else was computed.
      const std::pair share{all.share(), explained_beside(mistake, looked_at)};
      if (share <= best) continue;
      best = share;
      name(exercise_.mistakes[mistake].name,
           fmt::format("{} With this mistake the formula gives the same wrong numbers: {} of {} places, in {} of {} "
                       "problems that tell.",
                       exercise_.mistakes[mistake].meaning, all.explained, all.departing, fitting, telling));
    }
    return best.first > 0;
  }

  /// The share of the other arrays that the mistake explains.
  double explained_beside(std::size_t mistake, const std::vector<Tried*>& looked_at) const {
    Match all;
    for (Tried* one : looked_at) {
      const Arrays wrong = one->problem->wrong(mistake);
      for (std::size_t a = array_ + 1; a < one->answer.arrays.size(); ++a)
        if (const auto found = match(one->answer, *one->problem, wrong, a)) {
          all.departing += found->departing;
          all.explained += found->explained;
        }
    }
    return all.share();
  }

  /// What the wrong answers have in common and the right ones do not.
  std::string circumstances() const {
    std::string text;
    if (right_.empty()) return "Every problem is answered wrongly.";
    text = fmt::format("{} of {} problems are answered wrongly", wrong_.size(), all_.size());
    for (const ladder::Hardness hardness : ladder::all_hardness)
      if (std::ranges::all_of(wrong_, [&](const Tried* one) { return one->hardness == hardness; }) &&
          hardness != ladder::Hardness::plain)
        return text + fmt::format(", all of them with {}.", values_of(hardness));
    for (const auto& size : wrong_.front()->shape.values()) {
      const std::string& key = size.first;  // by name: clang 14 lets no lambda capture a structured binding
      for (const Index tile : tiles)
        if (separates([&](const Tried* one) { return one->shape[key] % tile != 0; }))
          return text + fmt::format(": just those in which {} is no multiple of {}.", key, tile);
      std::vector<Index> values;
      for (const Tried* one : all_) values.push_back(one->shape[key]);
      std::ranges::sort(values);
      for (const Index value : values)
        if (separates([&](const Tried* one) { return one->shape[key] > value; }))
          return text + fmt::format(": just those in which {} is above {}.", key, value);
    }
    return text + not_a_share();
  }

  template <class Holds>
  bool separates(Holds holds) const {
    return std::ranges::all_of(wrong_, holds) && std::ranges::none_of(right_, holds);
  }

  /// Where weights are stored: whether a row of them sums to 1.
  std::string not_a_share() const {
    for (const Tried* one : wrong_)
      for (std::size_t a = 0; a < one->answer.form.size(); ++a) {
        const ladder::Field& form = one->answer.form[a];
        const std::vector<float>& weights = one->answer.arrays[a];
        if (form.name != "weights" || weights.empty() || form.row_size <= 0) continue;
        double sum = 0;
        for (Index j = 0; j < form.row_size; ++j) sum += static_cast<double>(weights[static_cast<std::size_t>(j)]);
        if (!(std::abs(sum - 1) < 1e-3) && sum != 0)
          return fmt::format("; the first row of weights sums to {:.4g} instead of 1 ({}).", sum, one->text());
      }
    return ".";
  }

  const Exercise& exercise_;
  Verdict& verdict_;
  std::vector<Tried*> wrong_, right_, all_;
  std::size_t array_ = 0;
};

}  // namespace

std::string Tried::text() const { return fmt::format("{}, {}", shape.text(), values_of(hardness)); }

void diagnose(const Exercise& exercise, std::vector<Tried>& tried, Verdict& verdict) {
  Diagnosis(exercise, tried, verdict).run();
}

}  // namespace attention::exercise
