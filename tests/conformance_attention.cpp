// The operator Attention on cases of our own: every attribute and input, in random combinations, held against the standard's text
// in plain float64 loops. Nothing here knows how the operator is computed.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "catch.hpp"
#include "conformance_case.hpp"
#include "machine/affinity.hpp"
#include "sanitized.hpp"
#include "simd/storage.hpp"

namespace {

using namespace attention;
using namespace attention::tests;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A case in the words of the standard. Q, K and V are [batch, heads, n, width] here, whatever rank the case gives them.
struct Attention {
  Index batch = 1, heads = 1, key_heads = 1, queries = 1, new_keys = 1, past_keys = 0, dim = 1, value_dim = 1;
  bool packed = false;  ///< rank 3
  bool has_past = false;
  std::string dtype = "float32";
  std::optional<double> scale, softcap;
  int is_causal = 0, mode = 0, left = -1, right = -1, softmax_precision = 0;
  bool wants_present = false, wants_scores = false;
  Array query, key, value, past_key, past_value;
  std::optional<Array> mask;    ///< bool or float
  std::optional<Array> nonpad;  ///< [batch]

  Index keys() const { return past_keys + new_keys; }
  double key_at(Index b, Index g, Index j, Index c) const {
    return j < past_keys ? past_key(b, g, j, c) : key(b, g, j - past_keys, c);
  }
  double value_at(Index b, Index g, Index j, Index c) const {
    return j < past_keys ? past_value(b, g, j, c) : value(b, g, j - past_keys, c);
  }

  /// The mask's number for a score; false and nothing where the mask is too short.
  std::optional<double> mask_at(Index b, Index h, Index i, Index j) const {
    const Index whole[] = {b, h, i, j};
    const std::size_t rank = mask->shape.size();
    std::size_t place = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      Index x = whole[4 - rank + axis];
      const Index length = mask->shape[axis];
      if (axis + 1 == rank && x >= length) return std::nullopt;
      if (length == 1) x = 0;
      place = place * static_cast<std::size_t>(length) + static_cast<std::size_t>(x);
    }
    return mask->numbers[place];
  }

  bool attends(Index b, Index h, Index i, Index j) const {
    Index offset = has_past ? past_keys : 0;
    if (nonpad) {
      const auto valid = static_cast<Index>((*nonpad)(b));
      if (j >= valid) return false;
      offset = valid - queries;
    }
    const Index p = i + offset;
    if (is_causal && j > p) return false;
    if (left >= 0 && j < p - left) return false;
    if (right >= 0 && j > p + right) return false;
    if (!mask) return true;
    const std::optional<double> m = mask_at(b, h, i, j);
    if (!m) return false;
    return mask->dtype == "bool" ? *m != 0 : *m != -infinity;
  }
};

/// As the type of the softmax holds it.
double in_type(int type, double x) {
  if (type == 10) return static_cast<double>(simd::widen(simd::to_float16(static_cast<float>(x))));
  if (type == 16) return static_cast<double>(simd::widen(simd::to_bfloat16(static_cast<float>(x))));
  return x;
}

struct Answer {
  Array output;  ///< [batch, heads, queries, value_dim]
  Array scores;  ///< [batch, heads, queries, keys]
};

Answer reference(const Attention& a) {
  Answer out{Array(a.dtype, {a.batch, a.heads, a.queries, a.value_dim}), Array(a.dtype, {a.batch, a.heads, a.queries, a.keys()})};
  const double root = std::sqrt(a.scale.value_or(1 / std::sqrt(static_cast<double>(a.dim))));
  for (Index b = 0; b < a.batch; ++b)
    for (Index h = 0; h < a.heads; ++h)
      for (Index i = 0; i < a.queries; ++i) {
        const Index g = h / (a.heads / a.key_heads);  // h0 h0 h1 h1
        std::vector<double> x(static_cast<std::size_t>(a.keys()));
        const auto keep = [&](int mode) {
          for (Index j = 0; j < a.keys(); ++j)
            if (mode == a.mode) out.scores(b, h, i, j) = x[static_cast<std::size_t>(j)];
        };
        for (Index j = 0; j < a.keys(); ++j)
          for (Index c = 0; c < a.dim; ++c)
            x[static_cast<std::size_t>(j)] += a.query(b, h, i, c) * root * (a.key_at(b, g, j, c) * root);
        keep(0);
        if (a.softcap && *a.softcap > 0)
          for (double& s : x) s = *a.softcap * std::tanh(s / *a.softcap);
        keep(1);
        for (Index j = 0; j < a.keys(); ++j) {
          double& s = x[static_cast<std::size_t>(j)];
          if (!a.attends(b, h, i, j))
            s = -infinity;
          else if (a.mask && a.mask->dtype != "bool")
            s += *a.mask_at(b, h, i, j);
        }
        keep(2);
        double total = 0;
        double largest = -infinity;
        for (Index j = 0; j < a.keys(); ++j) {
          double& s = x[static_cast<std::size_t>(j)];
          s = in_type(a.softmax_precision, s);
          if (a.attends(b, h, i, j)) largest = std::max(largest, s);
        }
        for (Index j = 0; j < a.keys(); ++j) {
          double& s = x[static_cast<std::size_t>(j)];
          s = a.attends(b, h, i, j) ? in_type(a.softmax_precision, std::exp(in_type(a.softmax_precision, s - largest))) : 0;
          total += s;
        }
        total = in_type(a.softmax_precision, total);
        for (Index j = 0; j < a.keys(); ++j) {
          double& s = x[static_cast<std::size_t>(j)];
          s = a.attends(b, h, i, j) ? in_type(a.softmax_precision, s / total) : 0;
        }
        keep(3);
        for (Index j = 0; j < a.keys(); ++j)
          for (Index c = 0; c < a.value_dim; ++c)
            if (a.attends(b, h, i, j)) out.output(b, h, i, c) += x[static_cast<std::size_t>(j)] * a.value_at(b, g, j, c);
      }
  return out;
}

/// [batch, heads, n, width] as rank 3 has it.
Array laid_out(const Array& a, bool packed) {
  if (!packed) return a;
  Array to(a.dtype, {a.extent(0), a.extent(2), a.extent(1) * a.extent(3)});
  for (Index b = 0; b < a.extent(0); ++b)
    for (Index h = 0; h < a.extent(1); ++h)
      for (Index i = 0; i < a.extent(2); ++i)
        for (Index c = 0; c < a.extent(3); ++c) to(b, i, h * a.extent(3) + c) = a(b, h, i, c);
  return to;
}

Array joined(const Attention& a, bool values) {
  Array present(a.dtype, {a.batch, a.key_heads, a.keys(), values ? a.value_dim : a.dim});
  for (Index b = 0; b < a.batch; ++b)
    for (Index g = 0; g < a.key_heads; ++g)
      for (Index j = 0; j < a.keys(); ++j)
        for (Index c = 0; c < present.extent(3); ++c)
          present(b, g, j, c) = values ? a.value_at(b, g, j, c) : a.key_at(b, g, j, c);
  return present;
}

CaseWriter case_of(const Attention& a) {
  CaseWriter w("Attention", 25);
  if (a.packed) w.attribute("q_num_heads", a.heads), w.attribute("kv_num_heads", a.key_heads);
  if (a.scale) w.attribute("scale", *a.scale);
  if (a.softcap) w.attribute("softcap", *a.softcap);
  if (a.is_causal) w.attribute("is_causal", a.is_causal);
  if (a.mode) w.attribute("qk_matmul_output_mode", a.mode);
  if (a.left != -1) w.attribute("left_window_size", a.left);
  if (a.right != -1) w.attribute("right_window_size", a.right);
  if (a.softmax_precision) w.attribute("softmax_precision", a.softmax_precision);
  w.input("Q", laid_out(a.query, a.packed));
  w.input("K", laid_out(a.key, a.packed));
  w.input("V", laid_out(a.value, a.packed));
  if (a.mask)
    w.input("attn_mask", *a.mask);
  else
    w.no_input();
  if (a.has_past) w.input("past_key", a.past_key), w.input("past_value", a.past_value);
  if (a.nonpad) w.no_input(), w.no_input(), w.input("nonpad_kv_seqlen", *a.nonpad);
  const Answer answer = reference(a);
  w.output("Y", laid_out(answer.output, a.packed));
  if (a.wants_present)
    w.output("present_key", joined(a, false)), w.output("present_value", joined(a, true));
  else
    w.no_output(), w.no_output();
  if (a.wants_scores) w.output("qk_matmul_output", answer.scores);
  return w;
}

/// The rungs that must have computed it.
std::vector<std::string> rungs_of(const Attention& a, bool not_finite) {
  std::vector<std::string> rungs{"plain"};
  if (a.softmax_precision > 1) return rungs;
  rungs.push_back("fused_in_place");
  if (a.mask || a.softcap.value_or(0) > 0) return rungs;
  const bool has_keys = !a.nonpad || std::ranges::any_of(a.nonpad->numbers, [](double n) { return n > 0; });
  if (!has_keys) return rungs;
  rungs.insert(rungs.end(), {"loops", "openmp", "tiled", "fused"});
  if (!not_finite) rungs.insert(rungs.end(), {"formula", "simd"});
  return rungs;
}

/// Sizes and numbers that break blocked code.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : random_(seed) {}

  Index one_of(std::initializer_list<Index> values) {
    return values.begin()[static_cast<std::size_t>(random_.bits() % values.size())];
  }
  bool chance(double p) { return random_.uniform() < p; }

  Attention sizes() {
    Attention a;
    a.batch = one_of({1, 2, 3});
    a.key_heads = one_of({1, 2, 3});
    a.heads = a.key_heads * one_of({1, 1, 2, 3});
    a.queries = one_of({1, 2, 3, 7, 17, 33});
    a.new_keys = one_of({1, 3, 4, 16, 17, 33});
    a.dim = one_of({1, 3, 8, 17, 33});
    a.value_dim = chance(0.5) ? a.dim : one_of({1, 3, 16, 17, 33});
    a.packed = chance(0.5);
    if (chance(0.2)) a.dtype = "float16";
    return a;
  }

  void fill(Attention& a) {
    a.query = normal(random_, a.dtype, {a.batch, a.heads, a.queries, a.dim});
    a.key = normal(random_, a.dtype, {a.batch, a.key_heads, a.new_keys, a.dim});
    a.value = normal(random_, a.dtype, {a.batch, a.key_heads, a.new_keys, a.value_dim});
    a.past_key = normal(random_, a.dtype, {a.batch, a.key_heads, a.past_keys, a.dim});
    a.past_value = normal(random_, a.dtype, {a.batch, a.key_heads, a.past_keys, a.value_dim});
    // Values around 2: the standard's tolerance has hardly any absolute part, so that no float32 sum that cancels can meet it.
    for (Array* values : {&a.value, &a.past_value})
      for (double& v : values->numbers) v = stored(a.dtype, 2 + v / 2);
  }

  /// Past keys, or lengths; never both.
  void add_cache(Attention& a) {
    if (chance(0.5)) {
      a.has_past = true;
      a.past_keys = one_of({0, 1, 5, 17, 33});
    } else {
      a.nonpad = Array("int64", {a.batch});
      for (double& n : a.nonpad->numbers) n = static_cast<double>(one_of({0, 1, a.new_keys / 2, a.new_keys - 1, a.new_keys}));
    }
  }

  void add_window(Attention& a) {
    if (chance(0.7)) a.left = static_cast<int>(one_of({0, 1, 2, 9, 40}));
    if (chance(0.5)) a.right = static_cast<int>(one_of({0, 1, 2, 9, 40}));
  }

  void add_mask(Attention& a, std::size_t rank) {
    const Index whole[] = {a.batch, a.heads, a.queries, a.keys()};
    std::vector<Index> shape;
    for (std::size_t axis = 4 - rank; axis < 4; ++axis) shape.push_back(axis < 3 && chance(0.3) ? 1 : whole[axis]);
    if (chance(0.2)) shape.back() = one_of({1, std::max<Index>(1, shape.back() / 2)});
    Array mask(chance(0.5) ? "bool" : chance(0.8) ? a.dtype : "float32", shape);
    const Index width = shape.back();
    // A key that swallows the digits of the scores, only where every row has one beside it that does not.
    const bool all_rows_see = !a.is_causal && a.left < 0 && a.right < 0 && !a.nonpad;
    for (std::size_t at = 0; at < mask.numbers.size(); ++at) {
      const bool row_is_hidden = static_cast<Index>(at) / width % 5 == 3;
      const bool is_first = static_cast<Index>(at) % width == 0;
      const bool hidden = row_is_hidden || (!(is_first && all_rows_see) && chance(0.3));
      const double normal_number = stored(mask.dtype, static_cast<double>(random_.normal()) * 2);
      const double added = is_first || !chance(0.1) ? normal_number : all_rows_see ? -10000 : -8;
      mask.numbers[at] = mask.dtype == "bool" ? (hidden ? 0 : 1) : hidden ? -infinity : added;
    }
    a.mask = mask;
  }

  /// NaN and infinity in keys and values: anything where no query looks, NaN in some where only some look. Whether V was spoilt.
  bool spoil(Attention& a) {
    bool values = false;
    for (Index b = 0; b < a.batch; ++b)
      for (Index g = 0; g < a.key_heads; ++g)
        for (Index j = 0; j < a.keys(); ++j) {
          bool seen = false;
          const Index group = a.heads / a.key_heads;
          for (Index h = g * group; h < (g + 1) * group; ++h)
            for (Index i = 0; i < a.queries; ++i) seen = seen || a.attends(b, h, i, j);
          if (!chance(seen ? 0.1 : 0.7)) continue;
          const double bad = seen || chance(0.5) ? not_a_number : infinity;
          const auto put = [&](Array& past, Array& now, Index width) {
            const Index c = one_of({0, width / 2, width - 1});
            (j < a.past_keys ? past(b, g, j, c) : now(b, g, j - a.past_keys, c)) = bad;
          };
          if (chance(0.5)) put(a.past_key, a.key, a.dim);
          if (chance(0.7)) put(a.past_value, a.value, a.value_dim), values = true;
        }
    return values;
  }

  Attention any() {
    Attention a = sizes();
    if (chance(0.4)) add_cache(a);
    if (chance(0.3)) a.scale = static_cast<double>(one_of({1, 5, 20})) / 10 / std::sqrt(static_cast<double>(a.dim));
    if (chance(0.3)) a.softcap = static_cast<double>(one_of({0, 1, 4, 30})) / 2;
    if (chance(0.4)) a.is_causal = 1;
    if (chance(0.3)) add_window(a);
    if (chance(0.4)) a.softmax_precision = static_cast<int>(one_of({1, 1, 11}));
    a.wants_present = chance(0.5);
    a.wants_scores = chance(0.6);
    a.mode = static_cast<int>(one_of({0, 1, 2, 3}));
    fill(a);
    if (chance(0.5)) add_mask(a, static_cast<std::size_t>(one_of({1, 2, 3, 4})));
    return a;
  }

 private:
  numerics::Random random_;
};

std::string fault(const Attention& a, bool not_finite = false) {
  return fault_of(outcome_of(case_of(a)), rungs_of(a, not_finite));
}

}  // namespace

TEST_CASE("conformance: attention in every combination of its attributes", "[conformance]") {
  machine::use_threads(2);
  const std::uint64_t cases = sanitized ? 60 : 400;
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    Maker maker(seed);
    Attention a = maker.any();
    const bool values = maker.chance(0.3) && maker.spoil(a);
    INFO("seed " << seed);
    CHECK(fault(a, values) == "");
  }
}

TEST_CASE("conformance: attention, each attribute alone, on every awkward size", "[conformance]") {
  machine::use_threads(2);
  const std::vector<void (*)(Maker&, Attention&)> ways{
      [](Maker&, Attention&) {},
      [](Maker&, Attention& a) { a.is_causal = 1; },
      [](Maker&, Attention& a) { a.scale = 0.01; },
      [](Maker&, Attention& a) { a.scale = 0.0; },
      [](Maker&, Attention& a) { a.softcap = 0.5; },
      [](Maker&, Attention& a) { a.left = 0; },
      [](Maker&, Attention& a) { a.right = 0; },
      [](Maker&, Attention& a) { a.left = 2, a.right = 1; },
      [](Maker&, Attention& a) { a.left = 2, a.right = 5, a.is_causal = 1; },
      [](Maker&, Attention& a) { a.softmax_precision = 1; },
      [](Maker&, Attention& a) { a.softmax_precision = 11; },
      [](Maker&, Attention& a) { a.has_past = true, a.past_keys = 5, a.wants_present = true; },
      [](Maker&, Attention& a) { a.has_past = true, a.past_keys = 5, a.is_causal = 1; },
      [](Maker&, Attention& a) { a.has_past = true, a.past_keys = 5, a.left = 3; },
      [](Maker&, Attention& a) { a.has_past = true, a.past_keys = 0, a.wants_present = true; },
      // Offsets below 0 where there are fewer keys than queries: the first queries see none.
      [](Maker&, Attention& a) {
        a.nonpad = Array("int64", {a.batch}), a.nonpad->numbers[0] = static_cast<double>(a.new_keys), a.is_causal = 1;
      },
      [](Maker&, Attention& a) { a.nonpad = Array("int64", {a.batch}), a.nonpad->numbers[0] = 1; },
      [](Maker&, Attention& a) { a.nonpad = Array("int64", {a.batch}), a.nonpad->numbers[0] = 1, a.left = 2, a.right = 0; },
      [](Maker&, Attention& a) { a.heads = 3 * a.key_heads; },
      [](Maker&, Attention& a) { a.mode = 0, a.wants_scores = true, a.softcap = 2.0; },
      [](Maker&, Attention& a) { a.mode = 1, a.wants_scores = true, a.softcap = 2.0; },
      [](Maker&, Attention& a) { a.mode = 2, a.wants_scores = true, a.is_causal = 1; },
      [](Maker&, Attention& a) { a.mode = 3, a.wants_scores = true, a.is_causal = 1; },
  };
  std::uint64_t seed = 1000;
  for (std::size_t way = 0; way < ways.size(); ++way)
    for (const Index queries : {1, 17, 33})
      for (const Index keys : {1, 3, 33})
        for (const bool packed : {false, true}) {
          if (sanitized && packed != (keys == 3)) continue;
          Maker maker(++seed);
          Attention a;
          a.batch = 2, a.key_heads = 2, a.heads = 2, a.queries = queries, a.new_keys = keys, a.dim = 17, a.value_dim = 3;
          a.packed = packed;
          ways[way](maker, a);
          maker.fill(a);
          INFO("way " << way << ", queries " << queries << ", keys " << keys << ", packed " << packed);
          std::vector<std::string> rungs = rungs_of(a, false);
          if (a.scale == 0.0) rungs = {"plain", "fused_in_place"};  // the others take the scale out of the maximum
          CHECK(fault_of(outcome_of(case_of(a)), rungs) == "");
        }
}

TEST_CASE("conformance: attention masks of every rank, kind and length, with rows that see nothing and NaN behind the mask",
          "[conformance]") {
  machine::use_threads(2);
  for (std::uint64_t seed = 1; seed <= (sanitized ? 12U : 60U); ++seed)
    for (std::size_t rank = 1; rank <= 4; ++rank) {
      Maker maker(2000 + 10 * seed + rank);
      Attention a = maker.sizes();
      a.is_causal = maker.chance(0.3);
      a.mode = static_cast<int>(seed % 4);
      a.wants_scores = true;
      if (maker.chance(0.3)) a.softcap = 1.5;
      if (maker.chance(0.3)) maker.add_cache(a);
      maker.fill(a);
      maker.add_mask(a, rank);
      const bool values = maker.spoil(a);
      INFO("seed " << seed << ", rank " << rank);
      CHECK(fault(a, values) == "");
    }
}

TEST_CASE("conformance: attention whose softmax is computed in float16 and bfloat16", "[conformance]") {
  for (const int type : {10, 16})
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
      Maker maker(3000 + seed);
      Attention a;
      a.batch = 2, a.heads = 2, a.queries = 3, a.new_keys = 7, a.dim = 8, a.value_dim = 4;
      a.softmax_precision = type;
      a.mode = 3;
      a.wants_scores = true;
      maker.fill(a);
      INFO("type " << type << ", seed " << seed);
      CHECK(fault(a) == "");
    }
}

TEST_CASE("conformance: attention: a finite mask that swallows every score of a row leaves the mean", "[conformance]") {
  Maker maker(7);
  Attention a;
  a.queries = 3, a.new_keys = 5, a.dim = 4, a.value_dim = 2;
  maker.fill(a);
  a.mask = Array("float32", {3, 5});
  for (double& x : a.mask->numbers) x = -static_cast<double>(std::numeric_limits<float>::max());
  const conformance::Outcome outcome = outcome_of(case_of(a));
  CHECK(fault_of(outcome, {"plain"}) == "");
  // In powers of two, as the fused kernel counts, it would be −inf.
  CHECK(outcome.report.rungs() == std::vector<std::string>{"plain"});
}

TEST_CASE("conformance: attention without any key, query or problem", "[conformance]") {
  for (const auto& [batch, queries, keys] : {std::tuple{1, 2, 0}, std::tuple{2, 0, 3}, std::tuple{0, 2, 3}}) {
    Maker maker(8);
    Attention a;
    a.batch = batch, a.queries = queries, a.new_keys = keys, a.dim = 4, a.value_dim = 2;
    a.wants_scores = a.wants_present = true;
    maker.fill(a);
    INFO("batch " << batch << ", queries " << queries << ", keys " << keys);
    CHECK(fault_of(outcome_of(case_of(a)), {"plain"}) == "");
  }
}
