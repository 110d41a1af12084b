#include "record_files.hpp"

#include <fmt/format.h>

#include <array>

#include "head_measures.hpp"
#include "over_layers.hpp"
#include "program/atomic_file.hpp"
#include "tensor/npy.hpp"

namespace attention::visualising {

namespace fs = std::filesystem;

namespace {

/// The matrices as layers of one head each, every row divided by its sum.
record::AttentionRecord as_record(const record::AttentionRecord& from, const std::vector<Matrix>& layers,
                                  const std::string& title) {
  record::AttentionRecord result;
  result.title = title;
  result.real = from.real;
  result.queries = from.queries;
  result.keys = from.keys;
  result.machine = from.machine;
  const std::size_t n = layers.front().shape()[0];
  result.weights = tensor::empty<4>({layers.size(), 1, n, n});
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += layers[l](i, j);
      for (std::size_t j = 0; j < n; ++j)
        result.weights(l, 0, i, j) = static_cast<float>(layers[l](i, j) / sum);
    }
  return result;
}

}  // namespace

std::vector<std::string> write_over_layers(const record::AttentionRecord& record, const fs::path& folder,
                                           const std::string& name) {
  const auto& shape = record.weights.shape();
  if (!looks_at_itself(record) || shape[0] < 2) return {};
  const std::vector<Matrix> layers = with_residual(record.weights);
  record::write(as_record(record, rollout(layers), "Rollout: " + record.title), folder, name + "_rollout");
  if (layers.size() > 2 && shape[2] > most_positions_of_flow) return {name + "_rollout"};
  record::write(as_record(record, {flow(layers)}, "Flow, as shares: " + record.title), folder,
                name + "_flow");
  return {name + "_rollout", name + "_flow"};
}

bool write_for_bertviz(const record::AttentionRecord& record, const fs::path& folder,
                       const std::string& name) {
  if (record.queries.kind != record::Kind::tokens || record.keys.kind != record::Kind::tokens) return false;
  const auto& shape = record.weights.shape();
  program::make_folder(folder);
  const std::array<std::size_t, 4> layer{1, shape[1], shape[2], shape[3]};
  for (std::size_t l = 0; l < shape[0]; ++l)
    tensor::save(folder / fmt::format("{}.layer_{}.npy", name, l + 1),
                 record.weights.data() + l * shape[1] * shape[2] * shape[3],
                 std::span<const std::size_t>(layer));
  program::write_file(folder / (name + ".tokens.json"),
                      Json{{"queries", record.queries.labels}, {"keys", record.keys.labels}}.dump(
                          1, ' ', false, Json::error_handler_t::replace) +
                          "\n");
  return true;
}

std::string bertviz_lines(const record::AttentionRecord& record, const std::string& name) {
  const std::string head = fmt::format(
      "import json, numpy, torch, bertviz\n"
      "tokens = json.load(open('{0}.tokens.json'))\n"
      "layers = [torch.from_numpy(numpy.load(f'{0}.layer_{{layer}}.npy')) for layer in range(1, {1})]\n",
      name, record.weights.shape()[0] + 1);
  return head + (looks_at_itself(record)
                     ? "bertviz.head_view(layers, tokens['keys'])\n"
                     : "bertviz.head_view(cross_attention=layers, encoder_tokens=tokens['keys'], "
                       "decoder_tokens=tokens['queries'])\n");
}

}  // namespace attention::visualising
