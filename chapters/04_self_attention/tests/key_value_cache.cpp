// Writing with a cache is the whole sequence at once: for every kind of positions, in pieces of any size.
#include "key_value_cache.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "causal_decoder.hpp"
#include "check_rung.hpp"
#include "helpers.hpp"
#include "program/error.hpp"
#include "rungs/row.hpp"

using namespace attention;
using namespace attention::self_attention;
using namespace attention::self_attention::tests;
using program::UserError;

namespace {

Tensor<3> tokens_of(const Problem& p, Index first, Index count) {
  auto tokens = tensor::empty<3>({p.input.shape()[0], static_cast<std::size_t>(count), p.input.shape()[2]});
  for (Index b = 0; b < p.batch(); ++b)
    std::copy_n(p.input.data() + (b * p.n() + first) * p.width(), count * p.width(), tokens.data() + b * count * p.width());
  return tokens;
}

/// The outputs of tokens first … of a whole sequence.
void put(Output& piece, Index first, Output& whole) {
  for (Index b = 0; b < piece.batch(); ++b) {
    std::copy_n(piece.output_of(b, 0, 0), piece.queries() * piece.heads() * piece.dim(), whole.output_of(b, 0, first));
    for (Index h = 0; h < piece.heads(); ++h) std::copy_n(piece.lse_of(b, h), piece.queries(), whole.lse_of(b, h) + first);
  }
}

/// The whole problem through a cache, `piece` tokens at a time; of the first piece only `prompt`, where that is not 0.
void decode_in_pieces(const Problem& p, Output& out, Index piece, Index prompt = 0) {
  prepare(p, out, false);
  CausalDecoder decoder(p, p.batch(), 1);
  Output of_piece;
  for (Index first = 0; first < p.n();) {
    const Index count = std::min(p.n() - first, first == 0 && prompt > 0 ? prompt : piece);
    decoder.append(tokens_of(p, first, count), of_piece);
    put(of_piece, first, out);
    first += count;
  }
}

template <Index piece, Index prompt = 0>
void decoded(const Problem& p, Output& out) {
  decode_in_pieces(p, out, piece, prompt);
}

const auto& fused_rung() {
  const auto& ladder = mechanism(Kind::causal).ladder;
  return *std::ranges::find(ladder, std::string("fused"), [](const auto& rung) { return rung.name; });
}

/// What the ladder's check says of a decoder in the place of the rungs: the float64 reference, and the fused rung's bound, since
/// the sums are taken in its blocks. With one thread: waking others for every token takes minutes.
std::string fault_of(Kind kind, void (*run)(const Problem&, Output&)) {
  SelfAttention tried = mechanism(kind);
  tried.ladder = {{"tried", "alone", run, nullptr, fused_rung().blocks, false}};
  return attention::tests::faults_of(*ladder::publish(tried)).front();
}

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// The one line of a UserError that `run` must throw.
template <class Run>
std::string message_of(Run run) {
  try {
    run();
  } catch (const UserError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("key-value cache: decoding in pieces is the reference within the rungs' bound", "[cache]") {
  for (const Kind kind : {Kind::causal, Kind::window})
    for (const auto& run : {decoded<1>, decoded<3>, decoded<17>, decoded<1, 40>, decoded<1000>}) {
      const std::string fault = fault_of(kind, run);
      INFO(fault);
      CHECK(fault.empty());
    }
}

TEST_CASE("key-value cache: decoding in pieces is the full causal pass, up to rounding of both", "[cache]") {
  for (const Kind kind : {Kind::causal, Kind::window})
    for (const Positions positions : all_positions) {
      INFO(mechanism(kind).name << ", " << positions_name(positions));
      const Problem p = sample(kind, kind == Kind::window ? "batch=2,n=151,heads=3,dim=20,width=18,window=40" : "batch=2,n=151,heads=3,dim=20,width=18", positions);
      const Reference r = reference(p);
      const auto bounds = mechanism(kind).reference_fields(p, r, fused_rung().blocks);
      Output full;
      fused_rung().run(p, full);
      for (const Index piece : {1, 3, 17, 150, 151}) {
        INFO("pieces of " << piece);
        Output out;
        decode_in_pieces(p, out, piece);
        CHECK(static_cast<double>(largest_difference(out.output, full.output)) <= 2 * bounds[0].bound);
        CHECK(static_cast<double>(largest_difference(out.lse, full.lse)) <= 2 * bounds[1].bound);
      }
    }
}

TEST_CASE("key-value cache: a later token changes no bit of an earlier output, within a piece or after it", "[cache]") {
  for (const Kind kind : {Kind::causal, Kind::window})
    for (const Positions positions : all_positions) {
      machine::use_threads(1);
      const Problem p = sample(kind, "batch=2,n=80,heads=2,dim=24,width=20", positions);
      for (const Index piece : {1, 3, 17})
        for (const float value : {3.F, not_a_number, std::numeric_limits<float>::infinity()})
          for (const Index token : {1, 41, 79}) {
            INFO(positions_name(positions) << ", pieces of " << piece << ", token " << token << " becomes " << value);
            Problem changed = p;
            for (Index b = 0; b < 2; ++b) std::fill_n(changed.input.data() + (b * 80 + token) * 20, 20, value);
            Output a, b;
            decode_in_pieces(p, a, piece);
            decode_in_pieces(changed, b, piece);
            for (Index batch = 0; batch < 2; ++batch) {
              CHECK(std::equal(a.output_of(batch, 0, 0), a.output_of(batch, 0, token), b.output_of(batch, 0, 0)));
              CHECK_FALSE(std::equal(a.output_of(batch, 0, token), a.output_of(batch, 0, token) + 48, b.output_of(batch, 0, token)));
            }
          }
    }
}

TEST_CASE("key-value cache: the same bits with any number of threads", "[cache]") {
  const Problem p = sample(Kind::causal, "batch=2,n=70,heads=3,dim=20,width=18", Positions::sinusoidal);
  for (const Index piece : {1, 3, 17, 70}) {
    machine::use_threads(1);
    Output one, more;
    decode_in_pieces(p, one, piece);
    for (const int threads : {2, 3}) {
      machine::use_threads(threads);
      decode_in_pieces(p, more, piece);
      CHECK(largest_difference(one.output, more.output) == 0);
      CHECK(largest_difference(one.lse, more.lse) == 0);
    }
  }
}

TEST_CASE("key-value cache: it grows by doubling, keeps what it holds, and counts its bytes", "[cache]") {
  const Problem p = sample(Kind::causal, "batch=2,n=70,heads=3,dim=8,width=10", Positions::rotary);
  Output grown, roomy, piece;
  decode_in_pieces(p, grown, 7);
  prepare(p, roomy, false);
  CausalDecoder decoder(p, 2, 70, KeyValueCache::Growth::fixed);
  for (Index first = 0; first < 70; first += 7) {
    decoder.append(tokens_of(p, first, 7), piece);
    put(piece, first, roomy);
  }
  CHECK(largest_difference(grown.output, roomy.output) == 0);
  CHECK(decoder.cache().capacity() == 70);
  CHECK(decoder.cache().bytes() == 2 * 2 * 3 * 70 * 8 * sizeof(float));

  KeyValueCache cache({1, 1, 2}, 0);
  CHECK(cache.bytes() == 0);
  std::vector<Index> capacities;
  for (Index i = 0; i < 9; ++i) {
    const float key[2] = {static_cast<float>(i), 1};
    cache.append({key, 2, 2, 2}, {key, 2, 2, 2}, 1);
    capacities.push_back(cache.capacity());
  }
  CHECK(capacities == std::vector<Index>{1, 2, 4, 4, 8, 8, 8, 8, 16});
  CHECK(cache.size() == 9);
}

TEST_CASE("key-value cache: what is cut off can be written anew", "[cache]") {
  for (const Positions positions : all_positions) {
    INFO(positions_name(positions));
    const Problem p = sample(Kind::causal, "n=40,heads=2,dim=16,width=12", positions);
    CausalDecoder decoder(p);
    Output first, again;
    decoder.append(tokens_of(p, 0, 30), first);
    decoder.append(tokens_of(p, 30, 10), first);
    // Other tokens on the same places, taken back again.
    decoder.truncate(30);
    decoder.append(tokens_of(p, 0, 5), again);
    CHECK_FALSE(std::equal(again.output_of(0, 0, 0), again.output_of(0, 0, 5), first.output_of(0, 0, 0)));
    decoder.truncate(30);
    decoder.append(tokens_of(p, 30, 10), again);
    CHECK(largest_difference(first.output, again.output) == 0);
  }
}

TEST_CASE("key-value cache: grouped heads are heads with copies of their keys and values", "[cache]") {
  constexpr Index group = 3, key_heads = 2, dim = 20, tokens = 33;
  constexpr Index heads = group * key_heads;
  const Problem p = sample(Kind::causal, "n=33,heads=6,dim=20,width=8");
  const Projected x = project(p, blocked_product, true);
  KeyValueCache grouped({1, key_heads, dim}), copied({1, heads, dim});
  // Of the six heads' keys and values the first two are used.
  const dot_product::Rows<const float> key{x.key, 0, dim, heads * dim}, value{x.value, 0, dim, heads * dim};
  grouped.append(key, value, tokens);
  Tensor<4> keys = x.own_key, values = x.own_value;
  for (Index j = 0; j < tokens; ++j)
    for (Index h = 0; h < heads; ++h) {
      std::copy_n(key.row(0, h / group, j), dim, keys.data() + (j * heads + h) * dim);
      std::copy_n(value.row(0, h / group, j), dim, values.data() + (j * heads + h) * dim);
    }
  copied.append({keys.data(), 0, dim, heads * dim}, {values.data(), 0, dim, heads * dim}, tokens);
  for (const Index queries : {1, 2, 33}) {
    std::vector<float> a(static_cast<std::size_t>(queries * heads * dim)), b(a);
    dot_product::FusedProblem f;
    f.heads = heads;
    f.queries = queries;
    f.query = {x.query.data() + (tokens - queries) * heads * dim, 0, dim, heads * dim};
    f.scale = static_cast<float>(p.scale());
    f.mask = Mask::causal();
    f.output = {a.data(), 0, dim, heads * dim};
    grouped.attend(f);
    f.output = {b.data(), 0, dim, heads * dim};
    copied.attend(f);
    // Group by group or one by one, the sums have other orders: rounding of both.
    const Reference r = reference(p);
    CHECK(static_cast<double>(largest_difference(a, b)) <= 2 * mechanism(Kind::causal).reference_fields(p, r, fused_rung().blocks)[0].bound);
    CHECK(*std::ranges::max_element(a) > 0.1F);
  }
}

TEST_CASE("key-value cache: misuse is one clear line, and changes nothing", "[cache]") {
  const Problem p = sample(Kind::causal, "batch=2,n=20,heads=2,dim=8,width=6");
  Output out;
  CausalDecoder fixed(p, 2, 10, KeyValueCache::Growth::fixed);
  fixed.append(tokens_of(p, 0, 8), out);
  CHECK(message_of([&] { fixed.append(tokens_of(p, 8, 3), out); }) ==
        "key-value cache: it holds 8 tokens and has room for 10; 3 more do not fit: take a larger capacity, or let it grow");
  CHECK(fixed.size() == 8);
  fixed.append(tokens_of(p, 8, 2), out);
  Output whole;
  fused_rung().run(p, whole);
  const Reference r = reference(p);
  const double bound = 2 * mechanism(Kind::causal).reference_fields(p, r, fused_rung().blocks)[0].bound;
  for (Index c = 0; c < 16; ++c) CHECK(std::abs(static_cast<double>(out.output_of(1, 0, 1)[c] - whole.output_of(1, 0, 9)[c])) <= bound);

  CHECK(message_of([&] { fixed.truncate(11); }) == "key-value cache: it holds 10 tokens and cannot be cut to 11");
  CHECK(message_of([&] { fixed.append(Tensor<3>(tensor::empty<3>({2, 1, 5})), out); }) ==
        "causal decoder: tokens of shape [2, 1, 5]; it takes [2, 1 or more, 6]");
  CHECK(message_of([&] { fixed.append(Tensor<3>(tensor::empty<3>({1, 1, 6})), out); }).find("[1, 1, 6]") != std::string::npos);
  CHECK(message_of([&] { fixed.append(Tensor<3>(tensor::empty<3>({2, 0, 6})), out); }).find("[2, 0, 6]") != std::string::npos);
  CHECK(message_of([&] { CausalDecoder(sample(Kind::full, "n=3")); }).find("see later ones") != std::string::npos);
  Problem late = p;
  late.mask = Mask::causal(1);
  CHECK(message_of([&] { CausalDecoder{late}; }).find("see later ones") != std::string::npos);
  CHECK(message_of([&] { CausalDecoder(p, 0); }).find("batch 0") != std::string::npos);
  CHECK(message_of([&] { CausalDecoder(p, 1, -1); }).find("-1") != std::string::npos);

  KeyValueCache cache({1, 2, 4});
  const float row[8] = {};
  cache.append({row, 8, 4, 8}, {row, 8, 4, 8}, 1);
  CHECK(message_of([&] { cache.append({row, 8, 4, 8}, {row, 8, 4, 8}, 0); }).find("0 tokens") != std::string::npos);
  dot_product::FusedProblem f;
  f.heads = 2;
  f.queries = 2;
  CHECK(message_of([&] { cache.attend(f); }) == "key-value cache: 2 queries, but it holds 1 tokens; append their keys and values first");
  f.queries = 1;
  f.heads = 3;
  CHECK(message_of([&] { cache.attend(f); }) == "key-value cache: 3 heads of queries cannot share 2 heads of keys evenly");
}

TEST_CASE("key-value cache: a position beyond the table of learned ones is an error, and changes nothing", "[cache]") {
  const Problem p = sample(Kind::causal, "n=12,heads=2,dim=8,width=6", Positions::learned);
  CausalDecoder decoder(p);
  Output out;
  decoder.append(tokens_of(p, 0, 10), out);
  CHECK(message_of([&] { decoder.append(tokens_of(p, 0, 3), out); }).find("position 12, but the table of learned positions has 12 rows") !=
        std::string::npos);
  CHECK(decoder.size() == 10);
  decoder.append(tokens_of(p, 10, 2), out);
  CHECK(message_of([&] { decoder.append(tokens_of(p, 0, 1), out); }).find("position 12") != std::string::npos);
}

// Tests of the tests: caches that are wrong in the ways that they go wrong, each of which the check must catch.

namespace {

struct Faults {
  bool positions_from_zero = false;  ///< every piece's positions begin anew
  bool piece_alone = false;          ///< the queries of a piece see only its own keys
  Index see_later = 0;               ///< within a piece, so many later tokens are seen
  bool no_past = false;              ///< the mask does not know how many keys came before
  bool lost_in_growth = false;       ///< the last token held gets lost when the cache grows
  bool stale_values = false;         ///< the first value of each piece is overwritten by the next
};

template <Faults faults, Index piece>
void broken(const Problem& p, Output& out) {
  prepare(p, out, false);
  Output of_piece;
  KeyValueCache cache({p.batch(), p.heads(), p.dim()}, 1);
  for (Index first = 0; first < p.n(); first += piece) {
    Problem now = p;
    const Index count = std::min(piece, p.n() - first);
    now.input = tokens_of(p, first, count);
    now.first_position = faults.positions_from_zero ? 0 : first;
    const Projected x = project(now, blocked_product, true);
    const Slopes slopes(p);
    const Index row = p.heads() * p.dim();
    const dot_product::Rows<const float> query{x.query.data(), count * row, p.dim(), row};
    const dot_product::Rows<const float> key{x.key, count * row, p.dim(), row};
    dot_product::Rows<const float> value{x.value, count * row, p.dim(), row};
    if (faults.piece_alone) cache.truncate(0);
    if (faults.lost_in_growth && first > 0 && cache.size() + count > cache.capacity()) {
      const std::vector<float> nothing(static_cast<std::size_t>(p.batch() * row), 0.F);
      cache.truncate(cache.size() - 1);
      cache.append({nothing.data(), row, p.dim(), row}, {nothing.data(), row, p.dim(), row}, 1);
    }
    if (faults.stale_values) value.row_stride = 0;
    cache.append(key, value, count);
    prepare(now, of_piece, false);
    dot_product::FusedProblem f;
    f.heads = p.heads();
    f.queries = count;
    f.query = query;
    f.output = {of_piece.output.data(), count * row, p.dim(), row};
    f.lse = of_piece.lse.data();
    f.scale = static_cast<float>(p.scale());
    f.mask = p.mask;
    f.mask.right += faults.see_later;
    if (faults.no_past) f.mask.offset -= cache.size() - count;
    f.slopes = slopes.data();
    cache.attend(f);
    put(of_piece, first, out);
  }
}

}  // namespace

TEST_CASE("key-value cache: the broken cache is right without a fault", "[cache][broken]") {
  for (const Kind kind : {Kind::causal, Kind::window}) {
    const std::string fault = fault_of(kind, broken<Faults{}, 3>);
    INFO(fault);
    CHECK(fault.empty());
  }
}
TEST_CASE("key-value cache: positions that begin anew with each piece are caught", "[cache][broken]") {
  CHECK_FALSE(fault_of(Kind::causal, broken<Faults{.positions_from_zero = true}, 3>).empty());
}
TEST_CASE("key-value cache: a forgotten past is caught", "[cache][broken]") {
  CHECK_FALSE(fault_of(Kind::causal, broken<Faults{.piece_alone = true}, 17>).empty());
  CHECK_FALSE(fault_of(Kind::causal, broken<Faults{.no_past = true}, 3>).empty());
  CHECK_FALSE(fault_of(Kind::window, broken<Faults{.no_past = true}, 3>).empty());
}
TEST_CASE("key-value cache: a later token seen within a piece is caught", "[cache][broken]") {
  CHECK_FALSE(fault_of(Kind::causal, broken<Faults{.see_later = 1}, 3>).empty());
}
TEST_CASE("key-value cache: a token lost in growth, or a wrong value, is caught", "[cache][broken]") {
  CHECK_FALSE(fault_of(Kind::causal, broken<Faults{.lost_in_growth = true}, 1>).empty());
  CHECK_FALSE(fault_of(Kind::causal, broken<Faults{.stale_values = true}, 3>).empty());
}
