#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ladder/cost.hpp"
#include "ladder/field.hpp"
#include "ladder/inputs.hpp"
#include "ladder/shape.hpp"

namespace attention::ladder {

/// What a made problem is like: `plain` random numbers, or a kind that has caught wrong kernels before.
enum class Hardness {
  plain,
  large_scores,  ///< scores so large that exp overflows without max-subtraction
  equal_keys,    ///< every key the same: the weights are uniform
  outlier,       ///< one entry far larger than all others, at the end
  tiny,          ///< denormal and signed-zero entries
};
inline constexpr Hardness all_hardness[] = {Hardness::plain, Hardness::large_scores, Hardness::equal_keys,
                                            Hardness::outlier, Hardness::tiny};

/// How a rung's sums are ordered, for the two directions in which attention sums: after so many terms a sum starts anew, and
/// the parts are added one after the other (or better). The error bounds follow from it.
struct Blocks {
  double scores = 0;  ///< over dim, or what the scores are summed over; 0 = one chain over all of it
  double values = 0;  ///< over the keys; 0 = one chain over all of them
  double rounding = 0;  ///< relative, of each factor of a product beforehand; 0 = the factors are float32, else bfloat16
  double growth = 1;    ///< of an addition's error on its way to the output; more than 1 where sums are taken in another basis
};

/// One way to compute a mechanism.
template <class Problem, class Output>
struct Rung {
  std::string_view name;
  std::string_view idea;  ///< one line: what changed
  void (*run)(const Problem&, Output&) = nullptr;
  std::size_t (*workspace)(const Problem&) = nullptr;  ///< bytes beyond inputs and output
  Blocks blocks = {};
  bool parallel = true;  ///< uses all threads
  bool beside = false;   ///< not a step of the ladder: a library's way, shown beside it
  Index block_rows = 1;  ///< rows that a thread takes at once: a timed sample holds as many for each thread
  bool variant = false;  ///< not a step of the ladder either, but ours: the top rung with another precision or without a part, or another algorithm, which may need less work than is counted
  std::string (*unable)(const Problem&) = nullptr;  ///< one line: why it does not compute this problem; empty where it does. null: it computes all
};

/// Sizes that are measured together: along one line, all other sizes fixed.
struct Sweep {
  std::string name;                ///< "n"
  std::vector<std::string> keys;   ///< the shape keys that move together
  std::vector<Index> values;
  std::string base;                ///< the other sizes, as on the command line
};

/// A shape that is measured by name.
struct StandardShape {
  std::string name;
  std::string text;
  bool headline = false;    ///< the one that stands for the mechanism where only one is shown
  bool bench_only = false;  ///< left to `bench`: the chapter's program has no time for it
};

/// What is told of a mechanism, whatever its problem's type.
struct Description {
  std::string name;      ///< on the command line
  std::string title;
  std::string citation;  ///< paper and equation
  std::string chapter;   ///< the chapter's folder
  std::vector<ShapeKey> keys;
  std::vector<StandardShape> standard_shapes;
  std::vector<Sweep> sweeps;
  std::vector<Index> tile_edges;  ///< row counts at which the rungs' tiles end
  std::vector<std::string> tensor_names;
  std::vector<Setting> settings;  ///< that from_inputs asks for
  /// Bytes that a problem of this shape and its output take, as a float: a shape too large for memory is refused unmade.
  double (*footprint)(const Shape&) = nullptr;
};

/// An attention mechanism, described once: the chapter's program, the tests, the benchmarks and the plots walk this.
template <class ProblemType, class OutputType, class ReferenceType>
struct Mechanism : Description {
  using Problem = ProblemType;
  using Output = OutputType;
  using Reference = ReferenceType;

  Problem (*make)(const Shape&, std::uint64_t seed, Hardness) = nullptr;
  Shape (*shape_of)(const Problem&) = nullptr;
  /// Gives the output the size that every rung fills (not what only some store).
  void (*prepare)(const Problem&, Output&) = nullptr;
  Reference (*reference)(const Problem&) = nullptr;
  Cost (*cost)(const Problem&) = nullptr;
  /// How many rows of the output can be computed alone, and the problem of a few of them. 0 and null: only all together.
  Index (*rows)(const Problem&) = nullptr;
  Problem (*take_rows)(const Problem&, std::span<const Index>) = nullptr;
  /// The arrays of an output, the principal one first, and what may be wrong with each by rounding alone.
  std::vector<Field> (*fields)(const Output&) = nullptr;
  std::vector<ReferenceField> (*reference_fields)(const Problem&, const Reference&, const Blocks&) = nullptr;
  /// The problem's tensors by name, and back: from files, to hand a problem to another process, or from a caller's arrays.
  std::vector<NamedTensor> (*tensors)(const Problem&) = nullptr;
  Problem (*from_inputs)(const Inputs&) = nullptr;  ///< one a name in tensor_names

  std::vector<Rung<Problem, Output>> ladder;
};

/// A rung as others see it.
struct RungInfo {
  std::string name;
  std::string idea;
  bool parallel = true;
  bool beside = false;
  Index block_rows = 1;
  bool variant = false;
  bool bfloat16 = false;  ///< the factors of its products
};

/// One problem of one mechanism, with room for an answer: what is run, timed and checked.
class Trial {
 public:
  virtual ~Trial() = default;
  virtual Shape shape() const = 0;
  virtual Cost cost() const = 0;
  /// Bytes that the rung needs beyond inputs and output, with the thread count now in use.
  virtual std::size_t workspace(std::size_t rung) const = 0;
  /// Why the rung does not compute this problem, in one line; empty where it does. One that does not must not be run.
  virtual std::string unable(std::size_t rung) const = 0;
  /// Runs the rung; its answer replaces the last one. Throws std::bad_alloc where memory runs out.
  virtual void run(std::size_t rung) = 0;
  /// Rows that can be computed alone; 0 where the mechanism has none.
  virtual Index rows() const = 0;
  /// A trial of these rows only.
  virtual std::unique_ptr<Trial> take_rows(std::span<const Index> rows) const = 0;
  /// The same problem on memory of its own.
  virtual std::unique_ptr<Trial> clone() const = 0;
  /// Compares the last answer, of `rung`, with the float64 reference on `rows` (all where empty; rows ascending).
  /// The reference of the last set of rows is kept.
  virtual CheckResult check(std::size_t rung, std::span<const Index> rows) = 0;
  /// The same for a principal array that was computed elsewhere, all rows of it, in whatever order its sums were taken.
  virtual CheckResult check_values(std::span<const float> values, std::span<const Index> rows) = 0;
  /// Makes room for the answer and touches it, so that a rung's own memory can be told from it.
  virtual void prepare() = 0;
  /// Overwrites the last answer, so that a rung that writes nothing is seen.
  virtual void spoil() = 0;
  /// The float64 reference's answer to all rows; it is kept.
  virtual std::vector<ReferenceField> reference() = 0;
  virtual std::vector<NamedTensor> tensors() const = 0;
  /// The arrays of the last answer.
  virtual std::vector<Field> answer() const = 0;
};

/// A mechanism as those see it who walk all of them.
class AnyMechanism {
 public:
  virtual ~AnyMechanism() = default;
  const std::string& name() const { return description_.name; }
  const std::string& title() const { return description_.title; }
  const std::string& citation() const { return description_.citation; }
  const std::string& chapter() const { return description_.chapter; }
  const std::vector<ShapeKey>& keys() const { return description_.keys; }
  const std::vector<StandardShape>& standard_shapes() const { return description_.standard_shapes; }
  const std::vector<Sweep>& sweeps() const { return description_.sweeps; }
  const std::vector<Index>& tile_edges() const { return description_.tile_edges; }
  const std::vector<RungInfo>& rungs() const { return rungs_; }
  const std::vector<std::string>& tensor_names() const { return description_.tensor_names; }
  const std::vector<Setting>& settings() const { return description_.settings; }
  double footprint(const Shape& shape) const { return description_.footprint(shape); }
  virtual std::unique_ptr<Trial> make(const Shape&, std::uint64_t seed, Hardness) const = 0;
  /// The problem that these tensors make, one a name in tensor_names(). Throws UserError on a wrong number of them, a damaged
  /// file, sizes that do not agree, or a setting that there is not. Arrays that the caller lends must outlive the trial.
  virtual std::unique_ptr<Trial> from_inputs(std::span<const InputSource> tensors,
                                             const std::map<std::string, double>& settings = {}) const = 0;

  /// Position of the rung called `rung`. Throws UserError, listing the rungs, where there is none.
  std::size_t rung_index(std::string_view rung) const;

 protected:
  AnyMechanism(const Description& description, std::vector<RungInfo> rungs) : description_(description), rungs_(std::move(rungs)) {}
  /// Throws UserError where there are not as many tensors as names, or a setting is not among the mechanism's.
  void require_inputs(std::size_t tensors, const std::map<std::string, double>& settings) const;

 private:
  const Description& description_;
  std::vector<RungInfo> rungs_;
};
using MechanismPtr = std::shared_ptr<const AnyMechanism>;

/// The standard shape that is marked as headline; the first where none is.
const StandardShape& headline_shape(const AnyMechanism& mechanism);

}  // namespace attention::ladder
