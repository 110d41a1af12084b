// Tests of the tests: coordinate attentions that are wrong in the usual ways, each of which the ladder's check must catch.
#include "catch.hpp"
#include "check_rung.hpp"
#include "coordinate.hpp"
#include "rungs/coordinate_passes.hpp"

using namespace attention;
using namespace attention::convolutional;

namespace {

/// What may be wrong with a rung.
enum class Fault {
  none,
  exchanged_means,    ///< a row's sum is divided by the height and a column's by the width
  last_place,         ///< the last place of a map is not summed
  linear,             ///< no h-swish
  plain_relu,         ///< a ReLU where h-swish belongs
  late_split,         ///< the columns' hidden units begin one line too late
  exchanged_weights,  ///< the rows' gates are made with the columns' weights, and the other way round
  rows_only,          ///< the output lacks the columns' gates
  transposed,         ///< a place is given the gates of its mirror image
};

template <Fault fault>
struct Broken : CoordinatePlain {
  static void means(const float* x, Index height, Index width, float* rows, float* columns) {
    CoordinatePlain::means(x, height, width, rows, columns);
    const auto h = static_cast<float>(height);
    const auto w = static_cast<float>(width);
    if (fault == Fault::last_place) {
      rows[height - 1] -= x[height * width - 1] / w;
      columns[width - 1] -= x[height * width - 1] / h;
    }
    if (fault != Fault::exchanged_means) return;
    for (Index i = 0; i < height; ++i) rows[i] *= w / h;
    for (Index j = 0; j < width; ++j) columns[j] *= h / w;
  }
  static void gates(const CoordinateProblem& p, const float* pooled, float* hidden, float* rows, float* columns) {
    const Index lines = p.lines();
    const bool exchanged = fault == Fault::exchanged_weights;
    mix(p.reduce_weight, p.reduce_bias, pooled, lines, lines, hidden);
    for (Index i = 0; i < p.hidden() * lines; ++i)
      hidden[i] = fault == Fault::linear ? hidden[i] : fault == Fault::plain_relu ? relu(hidden[i]) : hard_swish(hidden[i]);
    mix(exchanged ? p.column_weight : p.row_weight, exchanged ? p.column_bias : p.row_bias, hidden, lines, p.height(), rows);
    mix(exchanged ? p.row_weight : p.column_weight, exchanged ? p.row_bias : p.column_bias, hidden + p.height(), lines, p.width(), columns);
    for (Index i = 0; i < p.channels() * p.height(); ++i) rows[i] = sigmoid(rows[i]);
    for (Index i = 0; i < p.channels() * p.width(); ++i) columns[i] = sigmoid(columns[i]);
    // Beyond the last line there is none: the last column keeps its gate.
    if (fault == Fault::late_split)
      for (Index c = 0; c < p.channels(); ++c)
        std::copy(columns + c * p.width() + 1, columns + (c + 1) * p.width(), columns + c * p.width());
  }
  static void multiply(const float* x, Index height, Index width, const float* row_gate, const float* column_gate, float*, float* to) {
    for (Index i = 0; i < height; ++i)
      for (Index j = 0; j < width; ++j) {
        const float column = fault == Fault::rows_only ? 1 : column_gate[fault == Fault::transposed ? width - 1 - j : j];
        to[i * width + j] = row_gate[i] * column * x[i * width + j];
      }
  }
};

template <Fault fault>
void broken(const CoordinateProblem& p, CoordinateOutput& out) {
  coordinate_in_passes<Broken<fault>>(p, out, false);
}

template <Fault fault>
std::string fault_found() {
  return tests::fault_of(coordinate(), broken<fault>);
}

}  // namespace

TEST_CASE("coordinate: the parts of these tests pass where nothing is wrong", "[coordinate][broken]") {
  CHECK(fault_found<Fault::none>() == "");
}
TEST_CASE("coordinate: exchanged divisors are caught", "[coordinate][broken]") {
  CHECK_FALSE(fault_found<Fault::exchanged_means>().empty());
}
TEST_CASE("coordinate: a forgotten last place is caught", "[coordinate][broken]") { CHECK_FALSE(fault_found<Fault::last_place>().empty()); }
TEST_CASE("coordinate: a forgotten h-swish is caught", "[coordinate][broken]") { CHECK_FALSE(fault_found<Fault::linear>().empty()); }
TEST_CASE("coordinate: a ReLU in its place is caught", "[coordinate][broken]") { CHECK_FALSE(fault_found<Fault::plain_relu>().empty()); }
TEST_CASE("coordinate: a split that comes too late is caught", "[coordinate][broken]") { CHECK_FALSE(fault_found<Fault::late_split>().empty()); }
TEST_CASE("coordinate: exchanged weights are caught", "[coordinate][broken]") {
  CHECK_FALSE(fault_found<Fault::exchanged_weights>().empty());
}
TEST_CASE("coordinate: forgotten gates of the columns are caught", "[coordinate][broken]") {
  CHECK_FALSE(fault_found<Fault::rows_only>().empty());
}
TEST_CASE("coordinate: mirrored gates are caught", "[coordinate][broken]") { CHECK_FALSE(fault_found<Fault::transposed>().empty()); }
