// The sentence encoder against the formula in float64 on made weights, against outside numbers where they are, and its files
// where they are damaged.
#include "sentence_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "catch.hpp"
#include "loaders/tfjs_weights.hpp"
#include "machine/affinity.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"
#include "program/json.hpp"
#include "unit_files.hpp"

using namespace attention;
using multi_head::SentenceEncoder;
namespace fs = std::filesystem;

namespace {

/// A model of random weights in the form of the real one, and the formula over them.
class MadeModel {
 public:
  static constexpr std::size_t none = 1000;  ///< no head

  explicit MadeModel(const fs::path& folder) {
    add("module/Embeddings_en", {10, 256}, 0.5);
    add("Encode/TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1", {1, 128}, 0.3);
    for (const auto& [layer, inputs, inner] : {std::tuple{"Layer_0", 256UL, 256UL}, std::tuple{"Layer_1", 512UL, 512UL}}) {
      const std::string name = std::string("Encode/") + layer + "/TransformerLayer/";
      add(name + "layer_prepostprocess/layer_norm/layer_norm_scale", {inputs}, 1);
      add(name + "layer_prepostprocess/layer_norm/layer_norm_bias", {inputs}, 0.1);
      add(name + "MultiheadAttention/qkv_transform_single/kernel/part_0", {1, 1, inputs, 3 * inner}, 0.08);
      add(name + "MultiheadAttention/qkv_transform_single/bias", {3 * inner}, 0.1);
      add(name + "MultiheadAttention/output_transform_single/kernel/part_0", {1, 1, inner, 512}, 0.05);
      add(name + "MultiheadAttention/output_transform_single/bias", {512}, 0.1);
      if (inputs != 512) add(name + "dense/kernel", {inputs, 512}, 0.05), add(name + "dense/bias", {512}, 0.1);
      add(name + "FFN/layer_prepostprocess/layer_norm/layer_norm_scale", {512}, 1);
      add(name + "FFN/layer_prepostprocess/layer_norm/layer_norm_bias", {512}, 0.1);
      add(name + "FFN/conv1/Tensordot/Reshape_1", {512, 1536}, 0.04);
      add(name + "FFN/conv1/bias", {1536}, 0.1);
      add(name + "FFN/conv2/Tensordot/Reshape_1", {1536, 512}, 0.03);
      add(name + "FFN/conv2/bias", {512}, 0.1);
    }
    add("Encoder_en/hidden_layers/tanh_layer_0/weights", {512, 512}, 0.05);
    add("Encoder_en/hidden_layers/tanh_layer_0/bias", {512}, 0.1);

    Json manifest{{"paths", {"one", "two"}}, {"weights", Json::array()}};
    std::string bytes;
    for (const auto& [name, shape] : order_) {
      manifest["weights"].push_back({{"name", name}, {"shape", shape}, {"dtype", "float32"}});
      const std::vector<float>& w = weights_.at(name);
      bytes.append(reinterpret_cast<const char*>(w.data()), w.size() * sizeof(float));
    }
    std::ofstream(folder / "model.json") << Json{{"weightsManifest", {manifest}}};
    const std::size_t cut = bytes.size() / 3;
    std::ofstream(folder / "one", std::ios::binary) << bytes.substr(0, cut);
    std::ofstream(folder / "two", std::ios::binary) << bytes.substr(cut);
    std::ofstream(folder / "vocab.json") << R"([["?",0],["a",0],["b",0],["c",0],["d",0],["e",0],["▁",-1],["x",-2]])";
  }

  /// The embedding of pieces, each number in float64; without the head `removed`, and with the weights of all heads in `maps`.
  std::vector<double> embed(const std::vector<std::size_t>& pieces, std::size_t removed = none, std::vector<std::vector<double>>* maps = nullptr) const {
    const std::vector<float>& f = weight("TimingSignal");
    Matrix x;
    for (std::size_t p = 0; p < std::min<std::size_t>(pieces.size(), 128); ++p) {
      std::vector<double> row(256);
      for (std::size_t c = 0; c < 256; ++c) {
        const double angle = static_cast<double>(p) * static_cast<double>(f[c % 128]);
        row[c] = 2 * static_cast<double>(weight("Embeddings_en")[pieces[p] * 256 + c]) + (c < 128 ? std::sin(angle) : std::cos(angle));
      }
      x.push_back(row);
    }
    x = layer(x, "Layer_0", true, removed, maps);
    x = layer(x, "Layer_1", false, removed - 4, maps);
    std::vector<double> mean(512);
    for (const auto& row : x)
      for (std::size_t c = 0; c < 512; ++c) mean[c] += row[c] / static_cast<double>(x.size());
    std::vector<double> y = dense({mean}, "tanh_layer_0/weights", "tanh_layer_0/bias")[0];
    double squares = 0;
    for (double& v : y) v = std::tanh(v), squares += v * v;
    for (double& v : y) v /= std::sqrt(squares);
    return y;
  }

 private:
  using Matrix = std::vector<std::vector<double>>;

  void add(const std::string& name, const std::vector<std::size_t>& shape, double spread) {
    std::size_t count = 1;
    for (const std::size_t n : shape) count *= n;
    std::vector<float>& w = weights_[name];
    for (std::size_t i = 0; i < count; ++i) w.push_back(static_cast<float>(spread * static_cast<double>(random_.normal())));
    order_.emplace_back(name, shape);
  }
  const std::vector<float>& weight(const std::string& ending, const std::string& layer = "") const {
    for (const auto& [name, w] : weights_)
      if (name.find(ending) != std::string::npos && name.find(layer) != std::string::npos) return w;
    throw std::out_of_range(ending);
  }
  Matrix dense(const Matrix& x, const std::string& w, const std::string& b, const std::string& layer = "") const {
    const std::vector<float>& bias = weight(b, layer);
    const std::vector<float>& weights = weight(w, layer);
    Matrix y;
    for (const auto& row : x) {
      std::vector<double> sum(bias.begin(), bias.end());
      for (std::size_t k = 0; k < row.size(); ++k)
        for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += row[k] * static_cast<double>(weights[k * sum.size() + c]);
      y.push_back(sum);
    }
    return y;
  }
  Matrix norm(const Matrix& x, const std::string& part, const std::string& layer) const {
    Matrix y = x;
    for (auto& row : y) {
      double mean = 0;
      double variance = 0;
      for (const double v : row) mean += v / static_cast<double>(row.size());
      for (const double v : row) variance += (v - mean) * (v - mean) / static_cast<double>(row.size());
      for (std::size_t c = 0; c < row.size(); ++c)
        row[c] = (row[c] - mean) / std::sqrt(variance + 1e-6) * static_cast<double>(weight(part + "/layer_norm/layer_norm_scale", layer)[c]) +
                 static_cast<double>(weight(part + "/layer_norm/layer_norm_bias", layer)[c]);
    }
    return y;
  }
  Matrix layer(const Matrix& x, const std::string& name, bool widens, std::size_t removed, std::vector<std::vector<double>>* maps) const {
    const Matrix qkv = dense(norm(x, "TransformerLayer/layer_prepostprocess", name), "qkv_transform_single/kernel", "qkv_transform_single/bias", name);
    const std::size_t inner = qkv[0].size() / 3;
    const std::size_t dim = inner / 4;
    Matrix attended(x.size(), std::vector<double>(inner));
    for (std::size_t h = 0; h < 4; ++h) {
      if (maps != nullptr) maps->emplace_back();
      for (std::size_t i = 0; i < x.size(); ++i) {
        std::vector<double> e;
        double l = 0;
        for (std::size_t j = 0; j < x.size(); ++j) {
          double s = 0;
          for (std::size_t c = 0; c < dim; ++c) s += qkv[i][h * dim + c] * qkv[j][inner + h * dim + c];
          e.push_back(std::exp(s / std::sqrt(static_cast<double>(dim))));
          l += e.back();
        }
        for (std::size_t j = 0; j < x.size(); ++j) {
          if (maps != nullptr) maps->back().push_back(e[j] / l);
          if (h == removed) continue;
          for (std::size_t c = 0; c < dim; ++c) attended[i][h * dim + c] += e[j] / l * qkv[j][2 * inner + h * dim + c];
        }
      }
    }
    Matrix y = widens ? dense(x, "TransformerLayer/dense/kernel", "TransformerLayer/dense/bias", name) : x;
    const auto add_to = [](Matrix& to, const Matrix& part) {
      for (std::size_t i = 0; i < to.size(); ++i)
        for (std::size_t c = 0; c < to[i].size(); ++c) to[i][c] += part[i][c];
    };
    add_to(y, dense(attended, "output_transform_single/kernel", "output_transform_single/bias", name));
    Matrix hidden = dense(norm(y, "FFN/layer_prepostprocess", name), "FFN/conv1/Tensordot", "FFN/conv1/bias", name);
    for (auto& row : hidden)
      for (double& v : row) v = std::max(v, 0.0);
    add_to(y, dense(hidden, "FFN/conv2/Tensordot", "FFN/conv2/bias", name));
    return y;
  }

  numerics::Random random_{21};
  std::map<std::string, std::vector<float>> weights_;
  std::vector<std::pair<std::string, std::vector<std::size_t>>> order_;
};

double largest_difference(const std::vector<double>& a, const std::vector<float>& b) {
  double largest = 0;
  for (std::size_t c = 0; c < a.size(); ++c) largest = std::max(largest, std::abs(a[c] - static_cast<double>(b[c])));
  return largest;
}

/// The line with which a model is refused after `spoil` was at its folder.
template <class Spoil>
std::string fault_after(Spoil spoil) {
  const tests::Scratch folder;
  const MadeModel model(folder.path());
  spoil(folder.path());
  return tests::refusal([&] { const SentenceEncoder encoder(folder.path()); });
}

}  // namespace

TEST_CASE("the sentence encoder is the formula of a transformer's encoder", "[encoder]") {
  const tests::Scratch folder;
  const MadeModel model(folder.path());
  const SentenceEncoder encoder(folder.path());
  numerics::Random random(4);
  for (const std::size_t length : {1, 2, 7, 16, 33, 128, 140}) {
    std::vector<std::size_t> pieces;
    for (std::size_t i = 0; i < length; ++i) pieces.push_back(random.bits() % 8);
    const std::vector<double> expected = model.embed(pieces);
    machine::use_threads(1);
    const std::vector<float> found = encoder.embed_pieces(pieces);
    INFO(length << " pieces");
    CHECK(largest_difference(expected, found) < 2e-6);
    machine::use_threads(2);
    CHECK(encoder.embed_pieces(pieces) == found);
  }
  // No words: the mean over nothing is 0.
  const std::vector<float> nothing = encoder.embed("");
  double squares = 0;
  for (const float v : nothing) squares += static_cast<double>(v) * static_cast<double>(v);
  CHECK(squares == Approx(1).epsilon(1e-6));
  CHECK(encoder.embed("\t") == encoder.embed("?"));  // both unknown
  const std::vector<std::string> sentences{"x x", "", "a b", "x"};
  const auto all = encoder.embed_all(sentences);
  for (std::size_t i = 0; i < sentences.size(); ++i) CHECK(all[i] == encoder.embed(sentences[i]));
  CHECK_THROWS_AS(encoder.embed_all(std::vector<std::string>{"x", "\xff"}), program::UserError);
}

TEST_CASE("the heads of the sentence encoder can be looked at and removed", "[encoder]") {
  const tests::Scratch folder;
  const MadeModel model(folder.path());
  const SentenceEncoder encoder(folder.path());
  const std::vector<std::size_t> pieces{1, 7, 6, 3, 7, 0, 5};
  std::vector<std::vector<double>> expected;
  model.embed(pieces, MadeModel::none, &expected);
  std::vector<tensor::Tensor<2>> maps;
  const std::vector<float> whole = encoder.embed_pieces(pieces, {.maps = &maps});
  CHECK(whole == encoder.embed_pieces(pieces));  // looking changes nothing
  REQUIRE(maps.size() == 8);
  REQUIRE(expected.size() == 8);
  REQUIRE(encoder.heads() == 8);
  for (std::size_t h = 0; h < 8; ++h) {
    INFO("head " << h);
    REQUIRE(maps[h].shape() == std::array<std::size_t, 2>{7, 7});
    CHECK(largest_difference(expected[h], {maps[h].begin(), maps[h].end()}) < 2e-6);
    const std::vector<float> without = encoder.embed_pieces(pieces, {.removed = static_cast<multi_head::Index>(h)});
    CHECK(largest_difference(model.embed(pieces, h), without) < 2e-6);
    CHECK(without != whole);
  }
}

TEST_CASE("a damaged model is one line that names the file", "[encoder]") {
  using tests::put;
  using tests::says;
  CHECK(says(fault_after([](const fs::path&) {}), {"accepted"}));
  CHECK(says(fault_after([](const fs::path& f) { fs::remove(f / "two"); }), {"two"}));
  CHECK(says(fault_after([](const fs::path& f) { fs::resize_file(f / "two", fs::file_size(f / "two") - 4); }),
             {"model.json", "end 4 bytes before"}));
  CHECK(says(fault_after([](const fs::path& f) { std::ofstream(f / "two", std::ios::app) << "more"; }), {"two", "holds"}));
  CHECK(says(fault_after([](const fs::path& f) { put(f / "model.json", "{"); }), {"model.json", "not JSON"}));
  CHECK(says(fault_after([](const fs::path& f) { put(f / "model.json", "[]"); }), {"model.json", "no list of weights"}));
  CHECK(says(fault_after([](const fs::path& f) { put(f / "vocab.json", R"([["a"]])"); }), {"vocab.json", "no list of pieces"}));
  const auto manifest = [](std::string weight, std::string path) {
    return [=](const fs::path& f) {
      put(f / "model.json", R"({"weightsManifest":[{"paths":[")" + path + R"("],"weights":[)" + weight + "]}]}");
    };
  };
  CHECK(says(fault_after(manifest(R"({"name":"w","shape":[1000000,1000000],"dtype":"float32"})", "one")), {"impossible shape"}));
  CHECK(says(fault_after(manifest(R"({"name":"w","shape":[-1],"dtype":"float32"})", "one")), {"impossible shape"}));
  CHECK(says(fault_after(manifest(R"({"name":"w","shape":[4],"dtype":"complex64"})", "one")), {"complex64"}));
  CHECK(says(fault_after(manifest(R"({"name":"w","shape":[4],"dtype":"float32"})", "../one")), {"lies elsewhere"}));
}

TEST_CASE("the real sentence encoder gives what its own runtime gives", "[encoder]") {
  const fs::path source(ATTENTION_SOURCE_DIR);
  const fs::path folder = source / "datasets/data/sentence_encoder";
  if (!fs::exists(folder / "model.json")) {
    WARN("left out: the model is not there; ./course embed fetches it");
    return;
  }
  const SentenceEncoder encoder(folder);
  CHECK(encoder.tokeniser().encode("Hello, how are you?") == std::vector<std::size_t>{341, 4125, 8, 140, 31, 19, 54});
  const fs::path numbers = source / "../shared/reference/use_lite_embeddings.json";
  if (!fs::exists(numbers)) {
    WARN("left out: the numbers of its own runtime are not there");
    return;
  }
  const Json reference = Json::parse(std::ifstream(numbers));
  for (std::size_t i = 0; i < reference.at("sentences").size(); ++i) {
    const auto expected = reference.at("embeddings").at(i).get<std::vector<double>>();
    CHECK(largest_difference(expected, encoder.embed(reference.at("sentences").at(i).get<std::string>())) < 2e-6);
  }
}
