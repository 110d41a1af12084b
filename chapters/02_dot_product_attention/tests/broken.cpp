// Tests of the tests: rungs that are wrong in the usual ways, each of which the ladder's check must catch.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "check_rung.hpp"
#include "dot_product.hpp"
#include "sanitized.hpp"

using namespace attention;
using namespace attention::dot_product;

namespace {

/// What may be wrong with a rung.
struct Faults {
  bool keep_maximum = false;       ///< the maximum is not subtracted
  bool forget_last_tile = false;   ///< keys beyond the last whole tile of 16 are left out
  bool drop_last_row = false;      ///< the last query gets no answer
  bool wrong_scale = false;        ///< 1/dim instead of 1/sqrt(dim)
  bool transposed_key = false;     ///< K is read as its transpose
  bool softmax_over_queries = false;
  bool ignore_mask = false;        ///< every query sees all keys
  bool stale_maximum = false;      ///< online softmax: the old output is not scaled down
};

/// Attention in plain loops over tiles of 16 keys with the online softmax, right but for `faults`.
template <Faults faults>
void broken(const Problem& p, Output& out) {
  prepare(p, out, false);
  constexpr Index tile = 16;
  const Index dim = p.dim();
  const Index keys = faults.forget_last_tile ? std::max(p.keys() / tile * tile, std::min(p.keys(), tile)) : p.keys();
  const float scale = faults.wrong_scale ? p.scale * p.scale : p.scale;
  const auto score = [&](Index b, Index h, Index i, Index j) {
    float sum = 0;
    for (Index c = 0; c < dim; ++c) {
      const Index at = faults.transposed_key ? (c * p.keys() + j) : (j * dim + c);
      sum += p.query_of(b, h)[i * dim + c] * p.key_of(b, h)[at];
    }
    return sum * scale;
  };
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries() - (faults.drop_last_row ? 1 : 0); ++i) {
        float m = -std::numeric_limits<float>::infinity();
        float l = 0;
        std::vector<float> o(static_cast<std::size_t>(p.value_dim()));
        const KeyRange seen = faults.ignore_mask ? KeyRange{0, p.keys()} : p.keys_of(i);
        for (Index tile_first = 0; tile_first < keys; tile_first += tile) {
          const Index first = std::max(tile_first, seen.first);
          const Index last = std::min({tile_first + tile, keys, seen.last});
          if (first >= last) continue;
          float m_new = m;
          for (Index j = first; j < last; ++j) m_new = std::max(m_new, score(b, h, i, j));
          if (faults.keep_maximum) m_new = 0;
          const float alpha = faults.stale_maximum || faults.keep_maximum ? 1 : std::exp(m - m_new);
          l *= alpha;
          for (float& x : o) x *= alpha;
          for (Index j = first; j < last; ++j) {
            const float e = std::exp(score(b, h, i, j) - m_new);
            l += e;
            for (Index c = 0; c < p.value_dim(); ++c) o[static_cast<std::size_t>(c)] += e * p.value_of(b, h)[j * p.value_dim() + c];
          }
          m = m_new;
        }
        if (faults.softmax_over_queries) {
          l = 0;
          for (Index other = 0; other < p.queries(); ++other) l += std::exp(score(b, h, other, 0) - m);
        }
        if (seen.empty()) l = 1;  // 0 and −inf
        for (Index c = 0; c < p.value_dim(); ++c) out.output_of(b, h)[i * p.value_dim() + c] = o[static_cast<std::size_t>(c)] / l;
        out.lse_of(b, h)[i] = m + std::log(l);
      }
}

/// All threads keep their scores in one buffer.
[[maybe_unused]] void racing(const Problem& p, Output& out) {
  prepare(p, out, false);
  std::vector<float> scores(static_cast<std::size_t>(p.keys()));
#pragma omp parallel for collapse(3) schedule(static, 1)
  for (Index b = 0; b < p.batch(); ++b)
    for (Index h = 0; h < p.heads(); ++h)
      for (Index i = 0; i < p.queries(); ++i) {
        const KeyRange seen = p.keys_of(i);
        float m = -std::numeric_limits<float>::infinity();
        for (Index j = seen.first; j < seen.last; ++j) {
          float sum = 0;
          for (Index c = 0; c < p.dim(); ++c) sum += p.query_of(b, h)[i * p.dim() + c] * p.key_of(b, h)[j * p.dim() + c];
          scores[static_cast<std::size_t>(j)] = sum * p.scale;
          m = std::max(m, scores[static_cast<std::size_t>(j)]);
        }
        std::this_thread::yield();
        float l = 0;
        for (Index j = seen.first; j < seen.last; ++j) {
          float& s = scores[static_cast<std::size_t>(j)];
          l += (s = std::exp(s - m));
        }
        if (seen.empty()) l = 1;
        for (Index c = 0; c < p.value_dim(); ++c) {
          float sum = 0;
          for (Index j = seen.first; j < seen.last; ++j) sum += scores[static_cast<std::size_t>(j)] * p.value_of(b, h)[j * p.value_dim() + c];
          out.output_of(b, h)[i * p.value_dim() + c] = sum / l;
        }
        out.lse_of(b, h)[i] = m + std::log(l);
      }
}

template <Faults faults>
std::string fault() {
  return tests::fault_of(mechanism(), broken<faults>);
}

}  // namespace

TEST_CASE("the broken rung's own loops are right without a fault", "[broken]") { CHECK(fault<Faults{}>().empty()); }

TEST_CASE("a missing max-subtraction is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.keep_maximum = true}>().empty());
}
TEST_CASE("a forgotten last tile is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.forget_last_tile = true}>().empty());
}
TEST_CASE("a dropped last row is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.drop_last_row = true}>().empty());
}
TEST_CASE("a wrong scale is caught", "[broken]") { CHECK_FALSE(fault<Faults{.wrong_scale = true}>().empty()); }
TEST_CASE("a transposed K is caught", "[broken]") { CHECK_FALSE(fault<Faults{.transposed_key = true}>().empty()); }
TEST_CASE("a softmax over the wrong axis is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.softmax_over_queries = true}>().empty());
}
TEST_CASE("an ignored mask is caught", "[broken]") { CHECK_FALSE(fault<Faults{.ignore_mask = true}>().empty()); }
TEST_CASE("a stale running maximum is caught", "[broken]") {
  CHECK_FALSE(fault<Faults{.stale_maximum = true}>().empty());
}
TEST_CASE("a race is caught", "[broken]") {
  if constexpr (tests::thread_sanitized) {
    WARN("left out: the thread sanitizer would report the race and end the tests");
  } else {
    CHECK_FALSE(tests::fault_of(mechanism(), racing, true).empty());
  }
}
