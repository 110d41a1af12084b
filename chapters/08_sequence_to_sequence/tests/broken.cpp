// The faults that a hand-written attention has had, made on purpose: what the tests beside this one hold right must be wrong with them.
#include <cmath>

#include "attention.hpp"
#include "autograd/arithmetic.hpp"
#include "autograd/softmax.hpp"
#include "check_gradients.hpp"

namespace {

using namespace attention::sequence_to_sequence;
using attention::tests::random_array;

}  // namespace

TEST_CASE("padding that is not masked is noticed", "[sequence_to_sequence]") {
  attention::numerics::Random random(1);
  const Attention<double> attention(Kind::general, 4, 4, 3, 0, random);
  const auto contexts = [&](const std::vector<Index>& lengths, std::size_t places) {
    Tape<double> tape(attention::autograd::Mode::evaluation);
    ArrayOf<double> annotations = attention::tensor::filled_array<double>({places, 1, 4}, 0);
    const ArrayOf<double> seen = random_array({3, 1, 4}, 1);
    std::copy(seen.data(), seen.data() + seen.size(), annotations.data());
    const auto found = attention(attention.prepare(tape.constant(annotations), lengths), tape.constant(random_array({1, 2, 4}, 2)), 0).contexts;
    return std::vector<double>(found.data(), found.data() + found.size());
  };
  const auto difference = [](const std::vector<double>& a, const std::vector<double>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
    return worst;
  };
  CHECK(difference(contexts({3}, 3), contexts({3}, 5)) < 1e-15);
  // The fault: the padding counts as part of the word.
  CHECK(difference(contexts({3}, 3), contexts({5}, 5)) > 1e-3);
}
