// The backward pass: its reference against central differences, and what gradients must do whatever the
// numbers.
#include "backward.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "catch.hpp"
#include "every_rung.hpp"
#include "gradient_share.hpp"
#include "ladder/publish.hpp"
#include "numerics/error_bound.hpp"

using namespace attention;
using namespace attention::dot_product;
using tests::contains;
using tests::for_every_rung;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

BackwardProblem sample(const char* shape, Mask mask = Mask::full(), std::uint64_t seed = 11) {
  BackwardProblem p =
      make_backward(ladder::parse_shape(shape, backward().keys), seed, ladder::Hardness::plain);
  p.mask = mask;
  run_forward(p);
  return p;
}

/// Matrices of one head in float64.
struct Inputs {
  std::vector<double> query, key, value;
};

/// L = Σ dO ∘ O for one head, in float64 from the first line to the last.
double loss(const BackwardProblem& p, const Inputs& in) {
  const auto dim = static_cast<std::size_t>(p.dim());
  const auto value_dim = static_cast<std::size_t>(p.value_dim());
  double all = 0;
  for (Index i = 0; i < p.queries(); ++i) {
    const KeyRange seen = p.mask.keys_of(i, p.keys());
    const auto row = static_cast<std::size_t>(i);
    double total = 0;
    double sum = 0;
    for (auto j = static_cast<std::size_t>(seen.first); j < static_cast<std::size_t>(seen.last); ++j) {
      double score = 0;
      for (std::size_t c = 0; c < dim; ++c) score += in.query[row * dim + c] * in.key[j * dim + c];
      const double weight = std::exp(static_cast<double>(p.scale) * score);
      double product = 0;
      for (std::size_t c = 0; c < value_dim; ++c)
        product +=
            static_cast<double>(p.output_gradient.data()[row * value_dim + c]) * in.value[j * value_dim + c];
      total += weight;
      sum += weight * product;
    }
    if (total > 0) all += sum / total;
  }
  return all;
}

/// The largest |∂L/∂x − gradient| of one input's elements, as a share of what the differences leave open.
double worst(const BackwardProblem& p, Inputs& in, std::vector<double>& of,
             const TensorOf<double, 4>& gradient) {
  // Σ |dO v| bounds every value that the loss's roundings are in proportion to.
  double size = 0;
  for (const float g : p.output_gradient) size += std::abs(static_cast<double>(g));
  double largest = 0;
  for (std::size_t x = 0; x < of.size(); ++x)
    largest = std::max(largest, tests::gradient_share(of[x], gradient.data()[x], [&] { return loss(p, in); }, 4 * size * numerics::largest_finite(p.value), 1e-5));
  return largest;
}

std::vector<double> widened(const Tensor<4>& tensor) { return {tensor.begin(), tensor.end()}; }

/// Whether row r of both has the same bits.
bool same_row(const Tensor<4>& a, const Tensor<4>& b, Index r) {
  const Index width = tensor::extent(a, 3);
  return std::memcmp(a.data() + r * width, b.data() + r * width,
                     static_cast<std::size_t>(width) * sizeof(float)) == 0;
}

/// The reference's largest allowed errors of dQ, dK and dV, for the rung's own sums.
std::vector<double> bounds(const BackwardProblem& p, const ladder::Blocks& blocks) {
  const BackwardReference reference = backward_reference(p);
  std::vector<double> found;
  for (const auto& field : backward().reference_fields(p, reference, blocks)) found.push_back(field.bound);
  return found;
}

}  // namespace

TEST_CASE("backward: the reference's gradients are the loss's central differences", "[backward]") {
  for (const Mask mask :
       {Mask::full(), Mask::causal(), Mask::causal(2), Mask::sliding_window(3, 1), Mask::causal(-2)}) {
    const BackwardProblem p = sample("queries=7,keys=9,dim=5,value_dim=3", mask);
    Inputs in{widened(p.query), widened(p.key), widened(p.value)};
    const BackwardReference reference = backward_reference(p);
    CHECK(worst(p, in, in.query, reference.query_gradient) <= 1);
    CHECK(worst(p, in, in.key, reference.key_gradient) <= 1);
    CHECK(worst(p, in, in.value, reference.value_gradient) <= 1);
  }
}

TEST_CASE("backward: the central differences notice a gradient that is 1 in 10,000 off", "[backward]") {
  const BackwardProblem p = sample("queries=7,keys=9,dim=5,value_dim=3");
  Inputs in{widened(p.query), widened(p.key), widened(p.value)};
  BackwardReference reference = backward_reference(p);
  for (auto* gradient : {&reference.query_gradient, &reference.key_gradient, &reference.value_gradient})
    for (double& x : *gradient) x *= 1.0001;
  CHECK(worst(p, in, in.query, reference.query_gradient) > 1);
  CHECK(worst(p, in, in.key, reference.key_gradient) > 1);
  CHECK(worst(p, in, in.value, reference.value_gradient) > 1);
}

TEST_CASE("backward: the gradients of the keys add up to 0, those of the values to those of the output",
          "[backward]") {
  // The same vector added to all keys shifts all scores of a row alike; and the weights of a row sum to 1.
  const BackwardProblem p = sample("heads=2,queries=40,keys=130,dim=12,value_dim=9");
  for_every_rung(backward(), [&](const auto& rung) {
    BackwardOutput out;
    rung.run(p, out);
    const std::vector<double> allowed = bounds(p, rung.blocks);
    for (Index h = 0; h < 2; ++h) {
      for (Index c = 0; c < 12; ++c) {
        double sum = 0;
        for (Index j = 0; j < 130; ++j) sum += static_cast<double>(out.key_gradient_of(h)[j * 12 + c]);
        CHECK(std::abs(sum) <= 130 * allowed[1]);
      }
      for (Index c = 0; c < 9; ++c) {
        double sum = 0;
        for (Index j = 0; j < 130; ++j) sum += static_cast<double>(out.value_gradient_of(h)[j * 9 + c]);
        for (Index i = 0; i < 40; ++i) sum -= static_cast<double>(p.output_gradient_of(h)[i * 9 + c]);
        CHECK(std::abs(sum) <= 130 * allowed[2]);
      }
    }
  });
}

TEST_CASE("backward: twice the output's gradient is twice all gradients, to the last bit", "[backward]") {
  const BackwardProblem p = sample("heads=2,queries=70,keys=33,dim=20,value_dim=40", Mask::causal());
  BackwardProblem twice = p;
  for (float& x : twice.output_gradient) x *= 2;
  for_every_rung(backward(), [&](const auto& rung) {
    BackwardOutput a;
    BackwardOutput b;
    rung.run(p, a);
    rung.run(twice, b);
    const auto doubled = [](float x, float y) { return 2 * x == y; };
    CHECK(std::ranges::equal(a.query_gradient, b.query_gradient, doubled));
    CHECK(std::ranges::equal(a.key_gradient, b.key_gradient, doubled));
    CHECK(std::ranges::equal(a.value_gradient, b.value_gradient, doubled));
  });
}

TEST_CASE("backward: masks of every kind agree with the reference, with any number of threads",
          "[backward][mask]") {
  const char* shape = "heads=2,queries=300,keys=210,dim=20,value_dim=36";
  // A shift to the left hides all keys from the first queries, one to the right hides none from the last.
  for (const Mask mask : {Mask::causal(), Mask::causal(-40), Mask::causal(90), Mask::sliding_window(50),
                          Mask::sliding_window(1), Mask::sliding_window(17, -30), Mask{5, 9, 3}}) {
    const auto trial = ladder::make_trial(backward(), sample(shape, mask));
    for (std::size_t rung = 0; rung < backward().ladder.size(); ++rung) {
      INFO(backward().ladder[rung].name << ", left " << mask.left << ", right " << mask.right << ", offset "
                                        << mask.offset);
      std::vector<float> first;
      for (const int threads : {1, 2, 3}) {
        machine::use_threads(threads);
        trial->spoil();
        trial->run(rung);
        const ladder::CheckResult result = trial->check(rung, {});
        INFO(result.fault);
        CHECK(result.passed);
        std::vector<float> bits;
        for (const ladder::Field& field : trial->answer())
          bits.insert(bits.end(), field.values.begin(), field.values.end());
        if (first.empty()) first = bits;
        // A library may split its sums as it likes.
        if (!backward().ladder[rung].beside) CHECK(bits == first);
      }
    }
  }
}

TEST_CASE("backward: the queries that see a key are those whose keys hold it", "[backward][mask]") {
  for (const Mask mask : {Mask::full(), Mask::causal(), Mask::causal(-4), Mask::causal(5),
                          Mask::sliding_window(3), Mask{2, 1, -2}})
    for (Index j = 0; j < 13; ++j) {
      const QueryRange range = queries_of(mask, j, 11, 13);
      for (Index i = 0; i < 11; ++i) {
        const KeyRange seen = mask.keys_of(i, 13);
        CHECK((i >= range.first && i < range.last) == (j >= seen.first && j < seen.last));
      }
    }
}

TEST_CASE("backward: what is masked has no effect, bit for bit", "[backward][mask]") {
  machine::use_threads(2);  // for forward too
  // Query i sees keys i − 49 … i: tiles hold both, pairs that are seen and pairs that are not.
  const BackwardProblem plain = sample("queries=300,keys=300,dim=20,value_dim=36", Mask::sliding_window(50));
  for (const float bad : {not_a_number, infinite}) {
    BackwardProblem problems[] = {plain, plain, plain, plain};
    problems[0].query.data()[200 * 20 + 3] = bad;
    problems[1].key.data()[200 * 20 + 3] = bad;
    problems[2].value.data()[200 * 36 + 3] = bad;
    problems[3].output_gradient.data()[200 * 36 + 3] = bad;
    for (BackwardProblem& p : problems) {
      run_forward(p);
      const auto which = &p - problems;
      // A query spoils the keys that it sees; a key first spoils the queries that see it.
      const Index last_query = which == 0 || which == 3 ? 200 : 249;
      for_every_rung(backward(), [&](const auto& rung) {
        INFO("problem " << which);
        // Rung 1 and the library multiply what is masked by 0.
        if (rung.name == "formula" || rung.beside) return;
        BackwardOutput a;
        BackwardOutput b;
        rung.run(plain, a);
        rung.run(p, b);
        for (Index r = 0; r < 300; ++r) {
          if (r < 200 || r > last_query) CHECK(same_row(a.query_gradient, b.query_gradient, r));
          if (r < 200 - 49 || r > last_query) {
            CHECK(same_row(a.key_gradient, b.key_gradient, r));
            CHECK(same_row(a.value_gradient, b.value_gradient, r));
          }
        }
        CHECK_FALSE(std::isfinite(b.query_gradient.data()[200 * 20]));
      });
    }
  }
}

TEST_CASE("backward: NaN and infinity in the input come out where the reference has them", "[backward]") {
  const BackwardProblem plain = sample("heads=2,queries=30,keys=300,dim=20,value_dim=35");
  std::vector<BackwardProblem> problems(6, plain);
  problems[0].query.data()[7 * 20 + 3] = not_a_number;
  problems[1].query.data()[7 * 20 + 3] = infinite;
  problems[2].key.data()[299 * 20] = not_a_number;
  problems[3].key.data()[299 * 20] = infinite;
  problems[4].value.data()[270 * 35 + 34] = not_a_number;
  problems[5].output_gradient.data()[5 * 35] = not_a_number;
  for (BackwardProblem& p : problems) {
    run_forward(p);
    const auto trial = ladder::make_trial(backward(), p);
    for (std::size_t rung = 0; rung < backward().ladder.size(); ++rung) {
      INFO(backward().ladder[rung].name << ", problem " << &p - problems.data());
      trial->spoil();
      trial->run(rung);
      const ladder::CheckResult result = trial->check(rung, {});
      INFO(result.fault);
      CHECK(result.passed);
    }
  }
}

TEST_CASE("backward: a causal that is neither 0 nor 1 is refused", "[backward]") {
  CHECK_THROWS_WITH(sample("queries=3,causal=2"), contains("causal=2 is neither 0 nor 1"));
}
