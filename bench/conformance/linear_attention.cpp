// LinearAttention: a state of fixed size in the place of all past keys and values (Katharopoulos et al. 2020; with a decay: Yang
// et al. 2023, GLA; with the delta rule: Schlag et al. 2021, Yang et al. 2024).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "conformance/attributes.hpp"
#include "conformance/operators.hpp"
#include "linear_pass.hpp"
#include "numerics/error_bound.hpp"
#include "program/error.hpp"
#include "program/text.hpp"

namespace attention::conformance {

namespace {

using program::UserError;

constexpr double largest_state = 0x1p28;  ///< numbers
constexpr double most_rows = 0x1p28;      ///< of queries, all heads together; they may be empty

/// The operator with its inputs in float32, each [batch, t, heads · width].
struct Problem {
  Index batch, heads, key_heads, steps, dim, value_dim;
  double scale;
  std::vector<float> query, key, value;
  std::vector<double> state;  ///< [batch, key_heads, dim, value_dim]; in float64, since its error adds up over the steps
  std::vector<float> decay;   ///< empty: the rule has none
  Index decay_width = 0;      ///< of a key head: 1, or dim
  std::vector<float> beta;    ///< empty: the rule has none
  bool bare = false;          ///< whether the rule is "linear": neither decay nor beta
  Index beta_heads = 0;       ///< key_heads, or 1 for all together
};

/// Lengths that must divide: the width of a head.
Index width_of(const CaseTensor& tensor, Index heads) {
  if (tensor.rank() != 3)
    throw UserError(fmt::format("{} has shape {}, expected 3 dimensions", tensor.name(), as_text(tensor.shape())));
  if (tensor.extent(2) % heads != 0)
    throw UserError(
        fmt::format("{} has shape {}, whose last length {} heads do not divide", tensor.name(), as_text(tensor.shape()), heads));
  return tensor.extent(2) / heads;
}

/// The gates that a rule has must be given; those that it has not are left alone.
const CaseTensor& required(const CaseTensor* tensor, const char* name, const std::string& rule) {
  if (!tensor) throw UserError(fmt::format("the input {} is missing, which the update rule {} needs", name, rule));
  return *tensor;
}

Problem problem_of(const Case& given) {
  const CaseTensor& query = *given.input(0);
  const CaseTensor& key = *given.input(1);
  const CaseTensor& value = *given.input(2);
  require_float(query);
  require_same_dtype(key, query);
  require_same_dtype(value, query);
  for (std::size_t place = 3; place < 6; ++place)
    if (const CaseTensor* tensor = given.input(place)) require_float(*tensor);

  const Attributes attributes(given.attributes);
  Problem p{};
  p.heads = attributes.required("q_num_heads", 1);
  p.key_heads = attributes.required("kv_num_heads", 1);
  if (p.heads % p.key_heads != 0)
    throw UserError(fmt::format("kv_num_heads is {}, which does not divide q_num_heads, {}", p.key_heads, p.heads));
  attributes.integer("chunk_size", 64, 1);  // a hint
  const std::string rule = attributes.text("update_rule", "gated_delta");
  const bool gated = rule == "gated" || rule == "gated_delta";
  const bool delta = rule == "delta" || rule == "gated_delta";
  if (!gated && !delta && rule != "linear")
    throw NotKnown(fmt::format("the update_rule '{}' is not known", program::one_line(rule, 60)));
  p.bare = !gated && !delta;

  p.dim = width_of(query, p.heads);
  p.value_dim = width_of(value, p.key_heads);
  p.batch = query.extent(0);
  p.steps = query.extent(1);
  if (static_cast<double>(p.batch) * static_cast<double>(p.steps) * static_cast<double>(p.heads) > most_rows)
    throw UserError(fmt::format("{} × {} × {} queries are too many for a case", p.batch, p.steps, p.heads));
  require_shape(key, {p.batch, p.steps, p.key_heads * p.dim});
  require_shape(value, {p.batch, p.steps, p.key_heads * p.value_dim});
  p.scale = attributes.real("scale").value_or(1 / std::sqrt(static_cast<double>(p.dim)));
  p.query = query.as_float();
  p.key = key.as_float();
  p.value = value.as_float();

  const Shape state{p.batch, p.key_heads, p.dim, p.value_dim};
  if (const CaseTensor* past = given.input(3)) {
    require_shape(*past, state);
    const std::vector<float> numbers = past->as_float();
    p.state.assign(numbers.begin(), numbers.end());
  } else {
    // Short inputs may have a large state.
    const double size =
        static_cast<double>(p.batch * p.key_heads) * static_cast<double>(p.dim) * static_cast<double>(p.value_dim);
    if (size > largest_state) throw UserError(fmt::format("the state {} is too large for a case", as_text(state)));
    p.state.assign(static_cast<std::size_t>(p.batch * p.key_heads * p.dim * p.value_dim), 0.0);
  }
  if (gated) {
    const CaseTensor& decay = required(given.input(4), "decay", rule);
    const bool by_head = decay.rank() == 3 && decay.extent(2) == p.key_heads;
    p.decay_width = by_head ? 1 : p.dim;
    require_shape(decay, {p.batch, p.steps, p.key_heads * p.decay_width});
    p.decay = decay.as_float();
  }
  if (delta) {
    const CaseTensor& beta = required(given.input(5), "beta", rule);
    p.beta_heads = beta.rank() == 3 && beta.extent(2) == 1 ? 1 : p.key_heads;
    require_shape(beta, {p.batch, p.steps, p.beta_heads});
    p.beta = beta.as_float();
  }
  return p;
}

/// One step of one key head: the state takes in k and v. `written` is scratch memory.
void update(const Problem& p, Index b, Index t, Index g, double* state, std::vector<double>& written) {
  const Index row = b * p.steps + t;
  const float* key = p.key.data() + (row * p.key_heads + g) * p.dim;
  const float* value = p.value.data() + (row * p.key_heads + g) * p.value_dim;
  // S ← exp(decay) · S
  if (p.decay_width > 0)
    for (Index d = 0; d < p.dim; ++d) {
      const float decay =
          p.decay[static_cast<std::size_t>((row * p.key_heads + g) * p.decay_width + (p.decay_width == 1 ? 0 : d))];
      for (Index c = 0; c < p.value_dim; ++c) state[d * p.value_dim + c] *= std::exp(static_cast<double>(decay));
    }
  written.assign(value, value + p.value_dim);
  // v ← β · (v − Sᵀk): only what the state does not answer yet is written
  if (p.beta_heads > 0) {
    const float beta = p.beta[static_cast<std::size_t>(row * p.beta_heads + (p.beta_heads == 1 ? 0 : g))];
    for (Index d = 0; d < p.dim; ++d)
      for (Index c = 0; c < p.value_dim; ++c)
        written[static_cast<std::size_t>(c)] -= state[d * p.value_dim + c] * static_cast<double>(key[d]);
    for (double& v : written) v *= static_cast<double>(beta);
  }
  // S ← S + k vᵀ
  for (Index d = 0; d < p.dim; ++d)
    for (Index c = 0; c < p.value_dim; ++c)
      state[d * p.value_dim + c] += static_cast<double>(key[d]) * written[static_cast<std::size_t>(c)];
}

/// Step by step. The state is left as it is at the end; gives the output, [batch, t, heads · value_dim].
std::vector<float> recurrence(Problem& p) {
  std::vector<float> output(static_cast<std::size_t>(p.batch * p.steps * p.heads * p.value_dim));
  std::vector<double> written;
  const Index group = p.heads / p.key_heads;
  for (Index b = 0; b < p.batch; ++b)
    for (Index t = 0; t < p.steps; ++t)
      for (Index g = 0; g < p.key_heads; ++g) {
        double* state = p.state.data() + (b * p.key_heads + g) * p.dim * p.value_dim;
        update(p, b, t, g, state, written);
        // Heads g · group … share the state of key head g: output = scale · qᵀS
        for (Index h = g * group; h < (g + 1) * group; ++h) {
          const Index place = (b * p.steps + t) * p.heads + h;
          const float* query = p.query.data() + place * p.dim;
          for (Index c = 0; c < p.value_dim; ++c) {
            double sum = 0;
            for (Index d = 0; d < p.dim; ++d) sum += static_cast<double>(query[d]) * state[d * p.value_dim + c];
            output[static_cast<std::size_t>(place * p.value_dim + c)] = static_cast<float>(p.scale * sum);
          }
        }
      }
  return output;
}

/// What rounding may make of the rule "linear" where its sums are float32.
struct Rounding {
  double output = 0;  ///< absolute
  double state = 0;
};

/// To first order: an entry of S is off by its largest partial sum (at least the root of its terms' squares) times the error of a
/// sum over the steps, which start anew after each chunk; the output is off by scale · Σ_c |q_c| times that, and by the sum over c.
Rounding rounding_of(const Problem& p) {
  using numerics::sum_error;
  const auto number = [](Index n) { return static_cast<double>(n); };
  const double over_steps = 2 * sum_error(numerics::chain(number(p.steps), number(self_attention::linear_chunk))) + 2 * numerics::unit_roundoff;
  const double over_dim = sum_error(number(p.dim)) + 2 * numerics::unit_roundoff;
  const auto width = static_cast<std::size_t>(p.value_dim);
  double most_state = 0;
  double most_output = 0;
  for (Index b = 0; b < p.batch; ++b)
    for (Index g = 0; g < p.key_heads; ++g) {
      const double* past = p.state.data() + (b * p.key_heads + g) * p.dim * p.value_dim;
      std::vector<double> state(past, past + p.dim * p.value_dim);
      std::vector<double> squares(state.size());
      std::vector<double> largest(static_cast<std::size_t>(p.dim));  // of a row of S
      for (std::size_t i = 0; i < state.size(); ++i) {
        squares[i] = state[i] * state[i];
        largest[i / width] = std::max(largest[i / width], std::abs(state[i]));
      }
      for (Index t = 0; t < p.steps; ++t) {
        const Index row = b * p.steps + t;
        const float* key = p.key.data() + (row * p.key_heads + g) * p.dim;
        const float* value = p.value.data() + (row * p.key_heads + g) * p.value_dim;
        for (std::size_t i = 0; i < state.size(); ++i) {
          const double term = static_cast<double>(key[i / width]) * static_cast<double>(value[i % width]);
          state[i] += term;
          squares[i] += term * term;
          largest[i / width] = std::max({largest[i / width], std::abs(state[i]), std::sqrt(squares[i])});
        }
        for (Index h = g * (p.heads / p.key_heads); h < (g + 1) * (p.heads / p.key_heads); ++h) {
          double sum = 0;
          for (Index c = 0; c < p.dim; ++c)
            sum += std::abs(static_cast<double>(p.query[static_cast<std::size_t>((row * p.heads + h) * p.dim + c)])) * largest[static_cast<std::size_t>(c)];
          most_output = std::max(most_output, std::abs(p.scale) * sum);
        }
      }
      for (const double x : largest) most_state = std::max(most_state, x);
    }
  return {most_output * (over_steps + over_dim), most_state * over_steps};
}

/// The same in chunks, by chapter 4's kernel, in float32; the rule "linear" is all that it serves. `state` is replaced by that at
/// the end.
std::vector<float> chunks(const Problem& p, std::vector<float>& state) {
  std::vector<float> output(static_cast<std::size_t>(p.batch * p.steps * p.heads * p.value_dim));
  // [batch, t, heads · width]: the rows of a head lie heads · width apart.
  const auto rows = [&p](auto* data, Index heads, Index width) {
    return dot_product::Rows<std::remove_pointer_t<decltype(data)>>{data, p.steps * heads * width, width, heads * width};
  };
  self_attention::LinearPass pass;
  pass.batch = p.batch;
  pass.heads = p.heads;
  pass.key_heads = p.key_heads;
  pass.n = p.steps;
  pass.dim = p.dim;
  pass.value_dim = p.value_dim;
  pass.query = rows(p.query.data(), p.heads, p.dim);
  pass.key = rows(p.key.data(), p.key_heads, p.dim);
  pass.value = rows(p.value.data(), p.key_heads, p.value_dim);
  pass.output = rows(output.data(), p.heads, p.value_dim);
  pass.state = state.data();
  pass.map = self_attention::FeatureMap::identity;
  pass.scale = static_cast<float>(p.scale);
  self_attention::linear_pass(pass);
  return output;
}

}  // namespace

void run_linear_attention(const Case& given, Report& report) {
  Problem p = problem_of(given);
  const CaseTensor& output = *given.output(0);
  require_float(output);
  require_same_dtype(output, *given.input(0));
  require_shape(output, {p.batch, p.steps, p.heads * p.value_dim});
  const CaseTensor* present = given.output(1);
  if (present) {
    require_float(*present);
    require_shape(*present, {p.batch, p.key_heads, p.dim, p.value_dim});
  }
  if (p.bare && !p.query.empty() && !p.value.empty()) {
    std::vector<float> state(p.state.begin(), p.state.end());
    const Rounding rounding = rounding_of(p);
    report.check("chunks", output, chunks(p, state), rounding.output);
    if (present) report.check("chunks", *present, state, rounding.state);
  }
  report.check("recurrence", output, recurrence(p));
  if (present) report.check("recurrence", *present, std::vector<float>(p.state.begin(), p.state.end()));
}

}  // namespace attention::conformance
