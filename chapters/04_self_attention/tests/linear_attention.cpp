// What linear attention promises, for every rung, for the kernel that others call, and for decoding.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "every_rung.hpp"
#include "ladder/publish.hpp"
#include "linear_attention.hpp"
#include "rungs/linear_rungs.hpp"

using namespace attention;
using namespace attention::self_attention;
using attention::tests::for_every_rung;
using attention::tests::largest_difference;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

LinearProblem sample(const std::string& shape, std::uint64_t seed = 5) {
  return make_linear(ladder::parse_shape(shape, linear_attention().keys), seed, ladder::Hardness::plain);
}

/// What is wrong with a rung on a problem; empty where nothing is.
std::string fault_on(const LinearProblem& p, std::size_t rung) {
  const auto trial = ladder::make_trial(linear_attention(), p);
  trial->spoil();
  trial->run(rung);
  return trial->check(rung, {}).fault;
}

/// Entry c of row i in head `head`.
float& entry(Tensor<4>& tensor, Index head, Index i, Index c) {
  return tensor.data()[(head * tensor::extent(tensor, 2) + i) * tensor::extent(tensor, 3) + c];
}

/// Whether rows first … last − 1 of every head are the same to the last bit.
bool same_rows(const LinearOutput& a, const LinearOutput& b, Index first, Index last) {
  const Index n = tensor::extent(a.output, 2);
  const Index width = tensor::extent(a.output, 3);
  const Index heads = tensor::extent(a.output, 0) * tensor::extent(a.output, 1);
  for (Index head = 0; head < heads; ++head) {
    const float* from = a.output.data() + (head * n + first) * width;
    if (!std::equal(from, from + (last - first) * width, b.output.data() + (head * n + first) * width)) return false;
  }
  return true;
}

/// Only tokens first … first + count − 1 of a pass.
LinearPass part_of(LinearPass pass, Index first, Index count) {
  pass.query.data += first * pass.query.row_stride;
  pass.key.data += first * pass.key.row_stride;
  pass.value.data += first * pass.value.row_stride;
  pass.output.data += first * pass.output.row_stride;
  pass.n = count;
  return pass;
}

}  // namespace

TEST_CASE("linear attention: the reference's recurrence is the sum over pairs", "[linear]") {
  const LinearProblem p = sample("batch=2,heads=2,n=23,dim=6,value_dim=4");
  const LinearReference r = reference(p);
  const auto phi = [](double x) { return x > 0 ? x + 1 : std::exp(x); };
  for (Index head = 0; head < 4; ++head)
    for (Index i = 0; i < 23; ++i) {
      std::vector<double> sum(4, 0.);
      double total = 0;
      for (Index j = 0; j <= i; ++j) {
        double weight = 0;
        for (Index c = 0; c < 6; ++c)
          weight += phi(static_cast<double>(p.query.data()[(head * 23 + i) * 6 + c])) * phi(static_cast<double>(p.key.data()[(head * 23 + j) * 6 + c]));
        total += weight;
        for (Index x = 0; x < 4; ++x) sum[static_cast<std::size_t>(x)] += weight * static_cast<double>(p.value.data()[(head * 23 + j) * 4 + x]);
      }
      for (Index x = 0; x < 4; ++x)
        CHECK(std::abs(sum[static_cast<std::size_t>(x)] / total - r.output.data()[(head * 23 + i) * 4 + x]) < 1e-13);
    }
}

TEST_CASE("linear attention: the first output is the first value, and equal keys give the running mean", "[linear]") {
  LinearProblem p = sample("heads=3,n=150,dim=20,value_dim=9");
  for (Index head = 0; head < 3; ++head)
    for (Index i = 0; i < 150; ++i)
      for (Index c = 0; c < 20; ++c) entry(p.key, head, i, c) = 0.3F * static_cast<float>(c) - 2;
  for_every_rung(linear_attention(), [&](const auto& rung) {
    LinearOutput out;
    rung.run(p, out);
    for (Index head = 0; head < 3; ++head) {
      double mean = 0;
      for (Index i = 0; i < 150; ++i) {
        mean += static_cast<double>(entry(p.value, head, i, 4));
        CHECK(std::abs(static_cast<double>(entry(out.output, head, i, 4)) - mean / static_cast<double>(i + 1)) < 3e-6);
      }
    }
  });
}

TEST_CASE("linear attention: a later token changes no bit of an earlier output", "[linear][mask]") {
  const LinearProblem p = sample("batch=2,heads=3,n=200,dim=24,value_dim=20");
  for_every_rung(linear_attention(), [&](const auto& rung) {
    LinearOutput a;
    rung.run(p, a);
    for (const float value : {3.F, not_a_number, infinity})
      for (const Index token : {1, 63, 64, 67, 199})
        for (const int changed : {0, 1}) {
          INFO("token " << token << " becomes " << value << " in " << (changed == 0 ? "keys" : "values"));
          LinearProblem other = p;
          for (Index head = 0; head < 6; ++head) entry(changed == 0 ? other.key : other.value, head, token, 3) = value;
          LinearOutput b;
          rung.run(other, b);
          CHECK(same_rows(a, b, 0, token));
          CHECK_FALSE(same_rows(a, b, token, token + 1));
        }
  });
}

TEST_CASE("linear attention: NaN and infinity come out where the reference has them, and nowhere else", "[linear][mask]") {
  for (const float value : {not_a_number, infinity, -infinity})
    for (const int where : {0, 1, 2}) {
      LinearProblem p = sample("heads=2,n=140,dim=12,value_dim=18");
      entry(where == 0 ? p.query : where == 1 ? p.key : p.value, 1, 70, 5) = value;
      for (std::size_t rung = 0; rung < linear_attention().ladder.size(); ++rung) {
        INFO(linear_attention().ladder[rung].name << ", " << value << " in " << where);
        CHECK(fault_on(p, rung) == "");
      }
    }
}

TEST_CASE("linear attention: features too small for float32 do no harm", "[linear]") {
  const LinearProblem plain = sample("heads=2,n=90,dim=10");
  // A query of negative entries alone: its common factor, here exp(−200), cancels.
  LinearProblem p = plain;
  for (float& x : p.query) x -= 200;
  for (std::size_t rung = 0; rung < linear_attention().ladder.size(); ++rung) {
    INFO(linear_attention().ladder[rung].name);
    CHECK(fault_on(p, rung) == "");
  }
  p = plain;
  for (float& x : p.key) x -= 60;
  for (std::size_t rung = 0; rung < linear_attention().ladder.size(); ++rung) {
    INFO(linear_attention().ladder[rung].name);
    CHECK(fault_on(p, rung) == "");
  }
  // Keys beyond float32: no weight is left, and the output is 0, not 0/0.
  for (float& x : p.key) x -= 100;
  for_every_rung(linear_attention(), [&](const auto& rung) {
    LinearOutput out;
    rung.run(p, out);
    CHECK(std::ranges::all_of(out.output, [](float x) { return x == 0; }));
  });
}

TEST_CASE("linear attention: decoding token by token equals the full pass", "[linear][decode]") {
  machine::use_threads(2);
  const LinearProblem p = sample("batch=2,heads=3,n=170,dim=24,value_dim=20");
  LinearOutput steps;
  const LinearPass all = pass_of(p, steps);
  SECTION("from the first token on: the bits of the recurrence") {
    for (Index i = 0; i < p.n(); ++i) linear_step(part_of(all, i, 1));
    LinearOutput loops;
    linear_loops(p, loops);
    CHECK(same_rows(steps, loops, 0, p.n()));
    CHECK(std::ranges::equal(steps.state, loops.state));
    CHECK(std::ranges::equal(steps.normalizer, loops.normalizer));
  }
  SECTION("after a prompt that the top rung has read") {
    for (const Index prompt : {1, 64, 100, 169}) {
      INFO("a prompt of " << prompt);
      LinearOutput cut;
      const LinearPass pass = pass_of(p, cut);
      linear_pass(part_of(pass, 0, prompt));
      for (Index i = prompt; i < p.n(); ++i) linear_step(part_of(pass, i, 1));
      LinearOutput whole;
      linear_simd(p, whole);
      CHECK(same_rows(cut, whole, 0, prompt));
      CHECK(largest_difference(cut.output, whole.output) < 3e-6F);
      CHECK(largest_difference(cut.state, whole.state) < 1e-4F);
    }
  }
  SECTION("the top rung in two parts") {
    for (const Index prompt : {64, 100}) {
      LinearOutput cut;
      const LinearPass pass = pass_of(p, cut);
      linear_pass(part_of(pass, 0, prompt));
      linear_pass(part_of(pass, prompt, p.n() - prompt));
      LinearOutput whole;
      linear_simd(p, whole);
      CHECK(largest_difference(cut.output, whole.output) < 3e-6F);
      // Cut where a chunk ends, nothing changes at all.
      CHECK(same_rows(cut, whole, 0, prompt == 64 ? p.n() : prompt));
    }
  }
}

TEST_CASE("linear attention: a forgotten state is noticed", "[linear][decode][broken]") {
  const LinearProblem p = sample("n=80,dim=16");
  LinearOutput cut;
  const LinearPass pass = pass_of(p, cut);
  linear_pass(part_of(pass, 0, 79));
  cut.state.fill(0);
  linear_step(part_of(pass, 79, 1));
  LinearOutput whole;
  linear_simd(p, whole);
  CHECK_FALSE(largest_difference(cut.output, whole.output) < 3e-6F);
}

TEST_CASE("linear attention: heads that share keys are the same with keys repeated", "[linear]") {
  machine::use_threads(2);
  const LinearProblem shared = sample("heads=6,n=130,dim=20,value_dim=18");
  // Key heads 0 and 1 serve three heads each.
  LinearProblem repeated = shared;
  for (Index h = 0; h < 6; ++h)
    for (Index i = 0; i < 130; ++i) {
      for (Index c = 0; c < 20; ++c) entry(repeated.key, h, i, c) = shared.key.data()[((h / 3) * 130 + i) * 20 + c];
      for (Index x = 0; x < 18; ++x) entry(repeated.value, h, i, x) = shared.value.data()[((h / 3) * 130 + i) * 18 + x];
    }
  LinearOutput wanted;
  linear_simd(repeated, wanted);
  for (const bool steps : {false, true}) {
    LinearOutput out;
    LinearPass pass = pass_of(shared, out);
    pass.key_heads = 2;
    std::vector<float> state(2 * 20 * 18, 0.F);
    std::vector<float> normalizer(2 * 20, 0.F);
    pass.state = state.data();
    pass.normalizer = normalizer.data();
    steps ? linear_step(pass) : linear_pass(pass);
    CHECK(largest_difference(out.output, wanted.output) < (steps ? 3e-6F : 0x1p-149F));
  }
}

TEST_CASE("linear attention: without a feature map and a normaliser it is the bare state", "[linear]") {
  machine::use_threads(2);
  const LinearProblem p = sample("heads=2,n=100,dim=9,value_dim=5");
  for (const bool steps : {false, true}) {
    LinearOutput out;
    LinearPass pass = pass_of(p, out);
    pass.map = FeatureMap::identity;
    pass.scale = 0.25F;
    pass.normalizer = nullptr;
    out.state.fill(1);
    steps ? linear_step(pass) : linear_pass(pass);
    double largest = 0;
    for (Index head = 0; head < 2; ++head)
      for (Index i = 0; i < 100; ++i)
        for (Index x = 0; x < 5; ++x) {
          double sum = 0;
          for (Index c = 0; c < 9; ++c) {
            double s = 1;
            for (Index j = 0; j <= i; ++j)
              s += static_cast<double>(p.key.data()[(head * 100 + j) * 9 + c]) * static_cast<double>(p.value.data()[(head * 100 + j) * 5 + x]);
            sum += 0.25 * s * static_cast<double>(p.query.data()[(head * 100 + i) * 9 + c]);
          }
          largest = std::max(largest, std::abs(sum - static_cast<double>(entry(out.output, head, i, x))));
        }
    CHECK(largest < 5e-5);
  }
}

TEST_CASE("linear attention: chunks shared among threads give the bits of whole heads", "[linear]") {
  for (const std::string shape : {"heads=1,n=65", "heads=1,n=64", "heads=3,n=4200,dim=16,value_dim=18", "batch=2,heads=2,n=300,dim=33"}) {
    INFO(shape);
    const LinearProblem p = sample(shape);
    for (const auto run : {linear_chunked, linear_simd}) {
      LinearOutput first;
      for (const int threads : {1, 2, 3, 5}) {
        machine::use_threads(threads);
        LinearOutput out;
        run(p, out);
        if (threads == 1) first = out;
        CHECK(same_rows(out, first, 0, p.n()));
        CHECK(std::ranges::equal(out.state, first.state));
        CHECK(std::ranges::equal(out.normalizer, first.normalizer));
      }
    }
  }
}
