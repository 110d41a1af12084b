#include "learned_pooling.hpp"

#include <cmath>

#include "additive_scores.hpp"
#include "autograd/arithmetic.hpp"
#include "autograd/arranging.hpp"
#include "autograd/matrix.hpp"
#include "autograd/reductions.hpp"
#include "autograd/softmax.hpp"
#include "rungs/rungs.hpp"

namespace attention::additive {

namespace {

using autograd::Tape;
using autograd::Variable;
using tensor::ArrayOf;

constexpr std::size_t hidden_units = 32;
constexpr Index batch = 64;

template <std::size_t Rank>
ArrayOf<float> array_of(const Tensor<Rank>& from) {
  ArrayOf<float> to = tensor::empty_array<float>({from.shape().begin(), from.shape().end()});
  std::copy(from.begin(), from.end(), to.data());
  return to;
}

/// What the training reads, the same at every step.
struct Examples {
  Weeks weeks;
  std::vector<Index> block;  ///< of each known week
  ArrayOf<float> rows, values;
};

}  // namespace

template <class Real>
PoolingNet<Real>::PoolingNet(std::uint64_t seed) {
  numerics::Random random(seed);
  const auto wide = static_cast<std::size_t>(features);
  W = autograd::uniform_parameter<Real>({wide, hidden_units}, 1, random);
  U = autograd::uniform_parameter<Real>({wide, hidden_units}, 1, random);
  v = autograd::uniform_parameter<Real>({hidden_units}, 1, random);
}

template <class Real>
autograd::ParameterList<Real> PoolingNet<Real>::parameters() {
  return {{"W", &W}, {"U", &U}, {"v", &v}};
}

template <class Real>
Variable<Real> PoolingNet<Real>::operator()(const Variable<Real>& query, const Variable<Real>& key, const Variable<Real>& value, const ArrayOf<std::uint8_t>& seen) const {
  Tape<Real>& tape = query.tape();
  const auto b = static_cast<std::size_t>(query.extent(0)), n = static_cast<std::size_t>(key.extent(0));
  const Variable<Real> of_query = reshape(matmul(query, tape.parameter(W)), {1, b, hidden_units});
  const Variable<Real> of_key = reshape(matmul(key, tape.parameter(U)), {1, n, hidden_units});
  const Variable<Real> scores = additive_scores(of_query, of_key, tape.parameter(v));
  return matmul(softmax(reshape(scores, {b, n}), seen), value);
}

template <class Real>
void PoolingNet<Real>::set(Problem& p) const {
  const auto wide = static_cast<std::size_t>(features);
  p.W = tensor::empty<2>({hidden_units, wide});
  p.U = tensor::empty<2>({hidden_units, wide});
  p.v = tensor::empty<1>({hidden_units});
  for (std::size_t h = 0; h < hidden_units; ++h) {
    for (std::size_t f = 0; f < wide; ++f) {
      p.W(h, f) = static_cast<float>(W.value.data()[f * hidden_units + h]);
      p.U(h, f) = static_cast<float>(U.value.data()[f * hidden_units + h]);
    }
    p.v(h) = static_cast<float>(v.value.data()[h]);
  }
}

Json pooling_configuration(const datasets::WeeklySeries& series) {
  return {{"model", "additive attention pooling"}, {"hidden", hidden_units}, {"features", features}, {"batch", batch},
          {"weeks", series.size()}, {"first", series.date.front()}, {"last", series.date.back()}};
}

training::Training pooling_training() {
  return {"co2_pooling", "which weeks to look at when others are filled in", [](const training::Sitting& sitting) {
    const datasets::WeeklySeries series = datasets::load_co2(sitting.data);
    Examples e{split_weeks(series), {}, {}, {}};
    for (const std::size_t at : e.weeks.known) e.block.push_back(series.week[at] / 13);
    e.rows = array_of(week_rows(series, e.weeks.known));
    e.values = array_of(residual_rows(e.weeks, e.weeks.known));
    PoolingNet<float> net(sitting.seed);

    training::Recipe recipe;
    recipe.name = "co2_pooling";
    recipe.configuration = pooling_configuration(series);
    recipe.steps = 3000;
    recipe.peak_rate = 0.02;
    recipe.evaluate_every = 250;
    recipe.clip = 10;
    training::Task task;
    task.parameters = net.parameters();
    task.loss = [&](Tape<float>& tape, std::int64_t step, int part) {
      const auto n = static_cast<Index>(e.block.size()), b = batch / recipe.parts;
      numerics::Random random(sitting.seed * 1000003 + static_cast<std::uint64_t>(step * recipe.parts + part));
      std::vector<Index> asked;
      for (Index i = 0; i < b; ++i) asked.push_back(static_cast<Index>(random.bits() % static_cast<std::uint64_t>(n)));
      ArrayOf<std::uint8_t> seen = tensor::empty_array<std::uint8_t>({static_cast<std::size_t>(b), static_cast<std::size_t>(n)});
      for (Index i = 0; i < b; ++i)
        for (Index j = 0; j < n; ++j)
          seen.data()[i * n + j] = e.block[static_cast<std::size_t>(j)] != e.block[static_cast<std::size_t>(asked[static_cast<std::size_t>(i)])] ? 1 : 0;
      const Variable<float> rows = tape.constant(e.rows), values = tape.constant(e.values);
      const Variable<float> error = net(gather(rows, asked), rows, values, seen) - gather(values, asked);
      return (1.0 / static_cast<double>(batch)) * autograd::sum(error * error);
    };
    // Root of the mean square on the weeks for choosing, which may look at all known weeks.
    const auto error_on = [&](const std::vector<std::size_t>& asked) {
      Problem p;
      p.query = week_rows(series, asked);
      p.key = week_rows(series, e.weeks.known);
      p.value = residual_rows(e.weeks, e.weeks.known);
      net.set(p);
      Output out;
      fused(p, out);
      double squares = 0;
      for (std::size_t i = 0; i < asked.size(); ++i) {
        const double off = static_cast<double>(out.output(i, 0)) - e.weeks.residual[asked[i]];
        squares += off * off;
      }
      return std::sqrt(squares / static_cast<double>(asked.size()));
    };
    task.evaluate = [&] { return error_on(e.weeks.chosen); };
    task.evaluated = "error on the weeks for choosing, ppm,";
    return training::sit(task, recipe, sitting, [&] { return Json{{"error_choosing_ppm", error_on(e.weeks.chosen)}, {"error_test_ppm", error_on(e.weeks.test)}}; });
  }};
}

PoolingNet<float> load_pooling(const std::filesystem::path& file, const datasets::WeeklySeries& series) {
  PoolingNet<float> net(1);
  training::load_weights(file, net.parameters(), pooling_configuration(series));
  return net;
}

template struct PoolingNet<float>;
template struct PoolingNet<double>;

}  // namespace attention::additive
