// Entropy and distance of heads.
#include "head_measures.hpp"

#include "catch.hpp"

using namespace attention;
using namespace attention::visualising;

namespace {

record::AttentionRecord record_of(std::size_t queries, std::vector<std::string> keys,
                                  const std::vector<float>& weights) {
  record::AttentionRecord record;
  std::vector<std::string> names(queries);
  for (std::size_t i = 0; i < queries; ++i) names[i] = queries == keys.size() ? keys[i] : "q";
  record.weights = tensor::empty<4>({1, weights.size() / queries / keys.size(), queries, keys.size()});
  std::copy(weights.begin(), weights.end(), record.weights.data());
  record.queries = record::tokens(names);
  record.keys = record::tokens(std::move(keys));
  return record;
}

}  // namespace

TEST_CASE("entropy, distance and the largest weight of heads", "[visualising]") {
  // Head 1 looks at the last token, head 2 at all alike.
  const auto measures = head_measures(record_of(2, {"a", "b"}, {0, 1, 0, 1, 0.5F, 0.5F, 0.5F, 0.5F}));
  REQUIRE(measures.size() == 2);
  CHECK(measures[0].head == 1);
  CHECK(measures[0].entropy == 0);
  CHECK(*measures[0].distance == 0.5);
  CHECK(measures[0].largest == 1);
  CHECK(measures[1].head == 2);
  CHECK(measures[1].entropy == 1);
  CHECK(measures[1].entropy_share == 1);
  CHECK(*measures[1].distance == 0.5);
  CHECK(measures[1].largest == 0.5);
}

TEST_CASE("heads of one token, of masked rows and of other sides", "[visualising]") {
  const auto one = head_measures(record_of(1, {"a"}, {1})).front();
  CHECK(one.entropy == 0);
  CHECK(one.entropy_share == 0);
  CHECK(*one.distance == 0);
  // A row that keeps only some of its weight is taken as a whole; a row of none does not count.
  const auto part = head_measures(record_of(2, {"a", "b"}, {0.25F, 0.25F, 0, 0})).front();
  CHECK(part.entropy == 1);
  CHECK(part.largest == 0.5);
  const auto none = head_measures(record_of(1, {"a", "b"}, {0, 0})).front();
  CHECK(none.entropy == 0);
  CHECK_FALSE(none.distance);
  record::AttentionRecord image = record_of(1, {"a", "b", "c", "d"}, {0.25F, 0.25F, 0.25F, 0.25F});
  image.keys = record::image({2, 2});
  CHECK_FALSE(looks_at_itself(image));
  CHECK(head_measures(image).front().entropy == 2);
}
