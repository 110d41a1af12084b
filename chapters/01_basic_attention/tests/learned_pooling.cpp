// The net that learns which weeks to look at: its gradients, and that the ladder's rungs compute what was trained.
#include "learned_pooling.hpp"

#include <cmath>
#include <filesystem>

#include "check_gradients.hpp"
#include "program/error.hpp"
#include "rungs/rungs.hpp"

using namespace attention;
using namespace attention::additive;
using namespace attention::tests;

TEST_CASE("attention pooling: the gradients of W, U and v are central differences", "[autograd][pooling]") {
  PoolingNet<double> net(3);
  tensor::ArrayOf<std::uint8_t> seen = tensor::filled_array<std::uint8_t>({3, 7}, 1);
  for (const Index hidden : {0, 8, 9, 20}) seen.data()[hidden] = 0;
  const auto loss = [&](Tape<double>& tape) {
    const auto filled = net(tape.constant(random_array({3, 4}, 1)), tape.constant(random_array({7, 4}, 2)), tape.constant(random_array({7, 1}, 3)), seen);
    return one_number(filled * filled);
  };
  CHECK(worst_parameter_gradient(net.parameters(), loss) <= 1);
}

TEST_CASE("attention pooling: every rung of the ladder gives what the trained net gives", "[pooling]") {
  const datasets::WeeklySeries series = datasets::make_series_stand_in(300);
  const Weeks weeks = split_weeks(series);
  const PoolingNet<double> net(5);
  Problem p;
  p.query = week_rows(series, weeks.test);
  p.key = week_rows(series, weeks.known);
  p.value = residual_rows(weeks, weeks.known);
  net.set(p);
  const auto array = [](const Tensor<2>& from) {
    tensor::ArrayOf<double> to = tensor::empty_array<double>({from.shape()[0], from.shape()[1]});
    std::copy(from.begin(), from.end(), to.data());
    return to;
  };
  Tape<double> tape(autograd::Mode::evaluation);
  const auto filled = net(tape.constant(array(p.query)), tape.constant(array(p.key)), tape.constant(array(p.value)),
                          tensor::filled_array<std::uint8_t>({weeks.test.size(), weeks.known.size()}, 1));
  for (const auto& rung : mechanism().ladder) {
    Output out;
    rung.run(p, out);
    double largest = 0, error = 0;
    for (std::size_t i = 0; i < weeks.test.size(); ++i) {
      largest = std::max(largest, std::abs(filled.data()[i]));
      error = std::max(error, std::abs(filled.data()[i] - static_cast<double>(out.output(i, 0))));
    }
    INFO(rung.name);
    CHECK(error < 1e-5 * largest);
  }
}

TEST_CASE("attention pooling: the published weights are for the weeks of this series alone", "[pooling]") {
  const auto file = std::filesystem::path(ATTENTION_SOURCE_DIR) / "datasets/weights/co2_pooling.safetensors";
  REQUIRE(std::filesystem::exists(file));
  CHECK_THROWS_AS(load_pooling(file, datasets::make_series_stand_in(300)), program::UserError);
}
