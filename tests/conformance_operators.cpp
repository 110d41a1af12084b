// RotaryEmbedding, LinearAttention, Softmax and LayerNormalization on cases of our own, held against the standard's text in plain
// float64 loops.
#include <array>
#include <cmath>
#include <limits>

#include "catch.hpp"
#include "conformance_case.hpp"
#include "machine/affinity.hpp"

namespace {

using namespace attention;
using namespace attention::tests;

class Maker : public numerics::Random {
 public:
  using numerics::Random::Random;
  Index one_of(std::initializer_list<Index> values) { return values.begin()[static_cast<std::size_t>(bits() % values.size())]; }
  bool chance(double p) { return uniform() < p; }
  std::string dtype() { return chance(0.25) ? "float16" : "float32"; }
};

double number(Index n) { return static_cast<double>(n); }

}  // namespace

TEST_CASE("conformance: rotary embedding in every layout, with and without positions", "[conformance]") {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    Maker maker(seed);
    const Index batch = maker.one_of({1, 2, 3}), heads = maker.one_of({1, 2, 3}), n = maker.one_of({1, 3, 17});
    const Index dim = maker.one_of({2, 4, 8, 34, 66});
    const Index rotary = maker.chance(0.5) ? 0 : maker.one_of({2, dim / 4 * 2, dim});
    const Index pairs = (rotary == 0 ? dim : rotary) / 2;
    const bool packed = maker.chance(0.5), interleaved = maker.chance(0.5), with_positions = maker.chance(0.5);
    const std::string dtype = maker.dtype();
    const Index rows = maker.one_of({1, 5, 50});

    // Numbers whose sums do not cancel: the standard's tolerance has hardly any absolute part.
    const auto between = [&](double least, double most, std::vector<Index> shape) {
      Array array(dtype, std::move(shape));
      for (double& x : array.numbers) x = stored(dtype, least + (most - least) * maker.uniform());
      return array;
    };
    const Array x = between(0.5, 1.5, packed ? std::vector{batch, n, heads * dim} : std::vector{batch, heads, n, dim});
    const std::vector<Index> cache = with_positions ? std::vector{rows, pairs} : std::vector{batch, n, pairs};
    const Array cosine = between(0.6, 1, cache);
    const Array sine = between(0, 0.15, cache);
    Array positions("int64", {batch, n});
    for (double& p : positions.numbers) p = number(static_cast<Index>(maker.bits() % static_cast<std::uint64_t>(rows)));

    Array y = x;
    for (Index b = 0; b < batch; ++b)
      for (Index h = 0; h < heads; ++h)
        for (Index i = 0; i < n; ++i)
          for (Index p = 0; p < pairs; ++p) {
            const Index row = static_cast<Index>(positions(b, i));
            const double c = with_positions ? cosine(row, p) : cosine(b, i, p);
            const double s = with_positions ? sine(row, p) : sine(b, i, p);
            const Index first = interleaved ? 2 * p : p;
            const Index second = interleaved ? 2 * p + 1 : p + pairs;
            const auto at = [&](const Array& a, Index d) { return packed ? a(b, i, h * dim + d) : a(b, h, i, d); };
            const auto put = [&](Index d, double value) { (packed ? y(b, i, h * dim + d) : y(b, h, i, d)) = value; };
            const double x1 = at(x, first), x2 = at(x, second);
            put(first, c * x1 - s * x2);
            put(second, s * x1 + c * x2);
          }

    CaseWriter w("RotaryEmbedding", 23);
    if (packed || maker.chance(0.3)) w.attribute("num_heads", heads);
    if (interleaved) w.attribute("interleaved", 1);
    if (rotary) w.attribute("rotary_embedding_dim", rotary);
    w.input("input", x), w.input("cos_cache", cosine), w.input("sin_cache", sine);
    if (with_positions) w.input("position_ids", positions);
    w.output("output", y);
    INFO("seed " << seed);
    CHECK(fault_of(outcome_of(w),
                   interleaved ? std::vector<std::string>{"plain", "rotate"} : std::vector<std::string>{"plain"}) == "");
  }
}

TEST_CASE("conformance: linear attention by every rule, with every form of its gates", "[conformance]") {
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    Maker maker(seed);
    const Index batch = maker.one_of({1, 2}), key_heads = maker.one_of({1, 2, 3}), heads = key_heads * maker.one_of({1, 2, 3});
    // Of the rule "linear" every other case is longer: more than one chunk of chapter 4's kernel.
    const Index steps = maker.one_of({1, 2, 5, 17}) * (seed % 8 == 0 ? 5 : 1);
    const Index dim = maker.one_of({1, 3, 8, 17}), value_dim = maker.one_of({1, 4, 17});
    const std::string rule = std::array{"linear", "gated", "delta", "gated_delta"}[seed % 4];
    const bool gated = rule.starts_with("gated"), delta = rule.ends_with("delta");
    const bool has_past = maker.chance(0.5), decay_by_head = maker.chance(0.5), one_beta = maker.chance(0.4),
               own_scale = maker.chance(0.3);
    const std::string dtype = maker.dtype();

    const Array query = normal(maker, dtype, {batch, steps, heads * dim});
    Array key = normal(maker, dtype, {batch, steps, key_heads * dim});
    // Short keys, as the delta rule wants them: k kᵀ does not blow the state up.
    for (double& k : key.numbers) k = stored(dtype, k / (2 * std::sqrt(number(dim))));
    const Array value = normal(maker, dtype, {batch, steps, key_heads * value_dim});
    const Array past = normal(maker, dtype, {batch, key_heads, dim, value_dim});
    const Index decays = decay_by_head ? 1 : dim;
    Array decay = normal(maker, dtype, {batch, steps, key_heads * decays});
    for (double& g : decay.numbers) g = stored(dtype, -std::abs(g));
    Array beta = normal(maker, dtype, {batch, steps, one_beta ? 1 : key_heads});
    for (double& b : beta.numbers) b = stored(dtype, 1 / (1 + std::exp(-b)));
    const double scale = own_scale ? 0.25 : 1 / std::sqrt(number(dim));

    Array output(dtype, {batch, steps, heads * value_dim});
    Array state(dtype, {batch, key_heads, dim, value_dim});
    if (has_past) state.numbers = past.numbers;
    for (Index b = 0; b < batch; ++b)
      for (Index t = 0; t < steps; ++t)
        for (Index h = 0; h < heads; ++h) {
          const Index g = h / (heads / key_heads);
          if (h % (heads / key_heads) == 0) {
            if (gated)
              for (Index i = 0; i < dim; ++i)
                for (Index j = 0; j < value_dim; ++j) state(b, g, i, j) *= std::exp(decay(b, t, decay_by_head ? g : g * dim + i));
            std::vector<double> v(static_cast<std::size_t>(value_dim));
            for (Index j = 0; j < value_dim; ++j) {
              double& x = v[static_cast<std::size_t>(j)];
              x = value(b, t, g * value_dim + j);
              if (!delta) continue;
              for (Index i = 0; i < dim; ++i) x -= state(b, g, i, j) * key(b, t, g * dim + i);
              x *= beta(b, t, one_beta ? 0 : g);
            }
            for (Index i = 0; i < dim; ++i)
              for (Index j = 0; j < value_dim; ++j) state(b, g, i, j) += key(b, t, g * dim + i) * v[static_cast<std::size_t>(j)];
          }
          for (Index j = 0; j < value_dim; ++j)
            for (Index i = 0; i < dim; ++i)
              output(b, t, h * value_dim + j) += scale * query(b, t, h * dim + i) * state(b, g, i, j);
        }

    CaseWriter w("LinearAttention", 27);
    w.attribute("q_num_heads", heads), w.attribute("kv_num_heads", key_heads);
    if (rule != "gated_delta" || maker.chance(0.5)) w.attribute("update_rule", rule);
    if (own_scale) w.attribute("scale", scale);
    if (maker.chance(0.3)) w.attribute("chunk_size", 4);
    w.input("query", query), w.input("key", key), w.input("value", value);
    if (has_past)
      w.input("past_state", past);
    else
      w.no_input();
    if (gated)
      w.input("decay", decay);
    else
      w.no_input();
    if (delta) w.input("beta", beta);
    w.output("output", output);
    if (maker.chance(0.7)) w.output("present_state", state);
    INFO("seed " << seed << ", rule " << rule);
    CHECK(fault_of(outcome_of(w), rule == "linear" ? std::vector<std::string>{"chunks", "recurrence"}
                                                   : std::vector<std::string>{"recurrence"}) == "");
  }
}

TEST_CASE("conformance: softmax along every axis", "[conformance]") {
  std::uint64_t seed = 0;
  for (const auto& shape :
       std::vector<std::vector<Index>>{{1}, {3}, {17}, {33}, {100}, {2, 17}, {3, 1}, {3, 4, 5}, {2, 3, 1, 33}, {2, 0, 3}})
    for (Index axis = -static_cast<Index>(shape.size()); axis <= static_cast<Index>(shape.size()); ++axis) {
      Maker maker(++seed);
      const Index rank = static_cast<Index>(shape.size());
      const bool is_default = axis == rank;
      const Index place = is_default ? rank - 1 : axis < 0 ? axis + rank : axis;
      Array x = normal(maker, maker.dtype(), shape);
      const double factor = number(maker.one_of({1, 10, 100}));
      for (double& v : x.numbers) v = stored(x.dtype, v * factor);
      if (x.numbers.size() > 4) x.numbers[3] = -std::numeric_limits<double>::infinity();
      Index stride = 1;
      for (Index a = place + 1; a < rank; ++a) stride *= shape[static_cast<std::size_t>(a)];
      const Index length = shape[static_cast<std::size_t>(place)];
      Array y = x;
      for (std::size_t at = 0; at < x.numbers.size(); ++at) {
        const Index first = static_cast<Index>(at) / (stride * length) * stride * length + static_cast<Index>(at) % stride;
        double largest = -std::numeric_limits<double>::infinity(), total = 0;
        for (Index i = 0; i < length; ++i) largest = std::max(largest, x.numbers[static_cast<std::size_t>(first + i * stride)]);
        for (Index i = 0; i < length; ++i) total += std::exp(x.numbers[static_cast<std::size_t>(first + i * stride)] - largest);
        y.numbers[at] = std::exp(x.numbers[at] - largest) / total;
      }
      CaseWriter w("Softmax", 13);
      if (!is_default) w.attribute("axis", axis);
      w.input("x", x), w.output("y", y);
      INFO("seed " << seed << ", rank " << rank << ", axis " << axis);
      CHECK(fault_of(outcome_of(w),
                     stride == 1 ? std::vector<std::string>{"plain", "simd"} : std::vector<std::string>{"plain"}) == "");
    }
}

TEST_CASE("conformance: layer normalization from every axis on, with and without its further inputs and outputs",
          "[conformance]") {
  std::uint64_t seed = 0;
  for (const auto& shape : std::vector<std::vector<Index>>{{1}, {17}, {3, 4}, {33, 1}, {2, 3, 5}, {2, 3, 4, 17}})
    for (Index axis = -static_cast<Index>(shape.size()); axis <= static_cast<Index>(shape.size()); ++axis)
      for (const bool broadcast : {false, true}) {
        Maker maker(++seed);
        const auto rank = static_cast<Index>(shape.size());
        const bool is_default = axis == rank;
        const auto place = static_cast<std::size_t>(is_default ? rank - 1 : axis < 0 ? axis + rank : axis);
        const std::string dtype = maker.dtype();
        const double epsilon = maker.chance(0.5) ? 1e-5 : 0.125;
        const bool has_bias = maker.chance(0.7);
        const double centre = number(maker.one_of({0, 5}));
        Array x = normal(maker, dtype, shape);
        for (double& v : x.numbers) v = stored(dtype, v + centre);
        // Of the normalized axes' shape; or of all, the first of them of length 1.
        std::vector<Index> scale_shape(shape.begin() + static_cast<std::ptrdiff_t>(place), shape.end());
        if (broadcast) scale_shape = shape, scale_shape.front() = 1;
        const Array scale = normal(maker, dtype, scale_shape);
        const Array bias = normal(maker, dtype, scale_shape);
        std::vector<Index> statistics = shape;
        std::size_t width = 1;
        for (std::size_t a = place; a < shape.size(); ++a) width *= static_cast<std::size_t>(shape[a]), statistics[a] = 1;

        Array y(dtype, shape), means("float32", statistics), inverses("float32", statistics);
        for (std::size_t row = 0; row * width < x.numbers.size(); ++row) {
          double mean = 0, variance = 0;
          for (std::size_t i = 0; i < width; ++i) mean += x.numbers[row * width + i] / static_cast<double>(width);
          for (std::size_t i = 0; i < width; ++i)
            variance += std::pow(x.numbers[row * width + i] - mean, 2) / static_cast<double>(width);
          means.numbers[row] = mean;
          inverses.numbers[row] = 1 / std::sqrt(variance + epsilon);
          for (std::size_t i = 0; i < width; ++i) {
            // From the right: both shapes end with the same axes.
            const std::size_t at = (row * width + i) % scale.numbers.size();
            y.numbers[row * width + i] = (x.numbers[row * width + i] - mean) * inverses.numbers[row] * scale.numbers[at] +
                                         (has_bias ? bias.numbers[at] : 0);
          }
        }
        CaseWriter w("LayerNormalization", 17);
        if (!is_default) w.attribute("axis", axis);
        if (epsilon != 1e-5) w.attribute("epsilon", epsilon);
        if (maker.chance(0.3)) w.attribute("stash_type", 1);
        w.input("X", x), w.input("W", scale);
        if (has_bias) w.input("B", bias);
        w.output("Y", y);
        const bool wants_mean = maker.chance(0.7), wants_inverse = maker.chance(0.7);
        if (wants_mean)
          w.output("Mean", means);
        else
          w.no_output();
        if (wants_inverse) w.output("InvStdDev", inverses);
        INFO("seed " << seed << ", rank " << rank << ", axis " << axis);
        CHECK(fault_of(outcome_of(w), {"plain"}) == "");
      }
}
