#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <numeric>

#include "experiments/images.hpp"
#include "program/table.hpp"
#include "record/attention_record.hpp"
#include "rungs/rungs.hpp"

namespace attention::dot_product {

namespace {

constexpr Index most_attended = 8;

tensor::TensorOf<std::uint8_t, 3> pick(const datasets::ImageSet& set, const std::vector<Index>& which) {
  const Index pixels = tensor::extent(set.images, 1) * tensor::extent(set.images, 2);
  auto picked = tensor::empty<3, std::uint8_t>({which.size(), set.images.shape()[1], set.images.shape()[2]});
  std::uint8_t* to = picked.data();
  for (const Index i : which) to = std::copy_n(set.images.data() + i * pixels, pixels, to);
  return picked;
}

std::vector<std::string> names(const datasets::FashionMnist& data, const datasets::ImageSet& set,
                               const std::vector<Index>& which) {
  std::vector<std::string> labels;
  for (const Index i : which) labels.push_back(data.class_names[set.labels.data()[i]]);
  return labels;
}

}  // namespace

void what_it_looks_at(const Context& c, const LookUp& best) {
  // The first test image of each class asks.
  std::vector<Index> queries;
  for (int label = 0; label < 10; ++label) {
    const auto& labels = c.data.test.labels;
    const auto found = std::ranges::find(labels, label);
    if (found != labels.end()) queries.push_back(found - labels.begin());
  }
  const Problem problem = take_queries(test_problem(c.data, best), queries);
  Output out;
  simd(problem, out);

  std::vector<Index> keys;
  std::vector<std::vector<Index>> top;
  for (Index q = 0; q < problem.queries(); ++q) {
    const float* weights = out.weights.data() + q * problem.keys();
    std::vector<Index> order(static_cast<std::size_t>(problem.keys()));
    std::iota(order.begin(), order.end(), Index{0});
    std::partial_sort(order.begin(), order.begin() + most_attended, order.end(),
                      [&](Index a, Index b) { return weights[a] > weights[b]; });
    order.resize(most_attended);
    keys.insert(keys.end(), order.begin(), order.end());
    top.push_back(std::move(order));
  }

  // The record keeps only the keys that are among somebody's most attended; its rows then sum to less than 1.
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  record::AttentionRecord record;
  record.title = fmt::format("Test images and the training images they look at ({}, scale {:.3g})",
                             features_name(best.features), best.scale);
  record.real = c.data.real;
  record.queries = record::images(tensor::to_npy(pick(c.data.test, queries)), names(c.data, c.data.test, queries));
  record.keys = record::images(tensor::to_npy(pick(c.data.train, keys)), names(c.data, c.data.train, keys));
  record.machine = c.results.machine();
  record.weights = tensor::empty<4>({1, 1, queries.size(), keys.size()});
  float* to = record.weights.data();
  for (Index q = 0; q < problem.queries(); ++q)
    for (const Index key : keys) *to++ = out.weights.data()[q * problem.keys() + key];
  record::write(record, c.results.folder(), "looks_at");

  program::Table table({{"a test image of"}, {"looks most at training images of"}, {"with weights"}});
  for (std::size_t q = 0; q < queries.size(); ++q) {
    std::string classes;
    std::string weights;
    for (std::size_t i = 0; i < 3; ++i) {
      const Index key = top[q][i];
      classes += (i ? ", " : "") + c.data.class_names[c.data.train.labels.data()[key]];
      weights += fmt::format("{}{:.3f}", i ? ", " : "", out.weights.data()[static_cast<Index>(q) * problem.keys() + key]);
    }
    table.add({c.data.class_names[c.data.test.labels.data()[queries[q]]], classes, weights});
  }
  std::cout << fmt::format("What it looks at{}\n{}\n", c.data.real ? "" : " (generated stand-in data)", table.text());
}

}  // namespace attention::dot_product
