// The peer "onednn" on dot-product attention: the two products as matmul primitives and a softmax primitive between them. Its way is
// chosen by a short trial: how many rows at a time, of all heads together or of one head after the other.
// Causal blocks compute only the columns that some row of theirs sees, and are masked by a loop of ours.
#include <omp.h>

#include <algorithm>
#include <dnnl.hpp>
#include <limits>
#include <string>
#include <utility>

#include "attention_problem.hpp"
#include "machine/caches.hpp"
#include "onednn.hpp"

namespace {

using namespace attention;
using dnnl::memory;
using peers::Index;
using peers::Keys;
using peers::AttentionProblem;

/// A row-major matrix for each head.
memory::desc matrices(Index heads, Index rows, Index columns, Index head_stride, Index row_stride,
                      Index column_stride) {
  return {{heads, rows, columns}, memory::data_type::f32, {head_stride, row_stride, column_stride}};
}

/// How the work is cut.
struct Way {
  Index heads = 1;  ///< at once
  Index rows = 1;   ///< at once
};

class OneDnnAttention final : public peers::Library {
 public:
  explicit OneDnnAttention(AttentionProblem problem) : p_(std::move(problem)) {
    const Index group = p_.heads / p_.kv_heads;
    masked_ = p_.queries > 1 && (p_.causal || p_.window > 0);
    if (masked_ && group > 1) throw peers::Unsupported("grouped heads with a mask");
    if (p_.keys_of(p_.queries - 1).first >= p_.keys_of(p_.queries - 1).last) throw peers::Unsupported("rows that see no key");
    // Heads that share keys lie one after the other: their queries are rows of one matrix.
    heads_ = p_.batch * p_.kv_heads;
    rows_ = group * p_.queries;

    const auto free = static_cast<double>(machine::memory().available_bytes);
    std::vector<Way> ways;
    for (const Index heads : {heads_, Index{1}})
      for (const Index rows : {Index{64}, Index{128}, Index{256}, Index{512}, rows_}) {
        const Way way{heads, std::min(rows, rows_)};
        const auto same = [&](const Way& other) {
          return other.heads == way.heads && other.rows == way.rows;
        };
        if (scores_of(way) * 4. <= 0.2 * free && std::ranges::none_of(ways, same)) ways.push_back(way);
      }
    if (ways.empty()) throw peers::Unsupported("its scores do not fit");
    tensor::Buffer output(static_cast<std::size_t>(p_.all_heads() * p_.queries * p_.value_dim));
    const std::size_t best = peers::fastest(ways.size(), 2, [&](std::size_t way) {
      if (way >= plans_.size()) plans_.push_back(plan(ways[way]));
      run(plans_[way], 0, output.data());
    });
    plan_ = std::move(plans_[best]);
    plans_.clear();
  }

  int threads() const override { return p_.threads; }
  std::size_t copies() const override { return p_.copies(); }
  std::array<Index, 4> output_shape() const override { return p_.output_shape(); }
  std::string version() const override { return peers::onednn_version(); }
  std::string kernel() const override {
    return "matmul " + plan_.implementation + ", softmax " + plan_.softmax_implementation + "; " +
           (plan_.way.heads == heads_ ? "all heads" : "one head") + ", " +
           (plan_.way.rows == rows_ ? "all rows" : std::to_string(plan_.way.rows) + " rows") + " at a time" +
           (p_.causal ? ", columns trimmed" : "");
  }
  void run(std::size_t turn, float* output) override { run(plan_, turn, output); }

 private:
  /// One block of rows: three primitives and the memory that they work on.
  struct Block {
    Index first = 0;
    Index rows = 0;
    Keys keys;
    dnnl::matmul products, values;
    dnnl::softmax_forward softmax;
    memory query, key, value, scores, output;
  };
  struct Plan {
    Way way;
    tensor::Buffer scores;
    std::vector<Block> blocks;
    std::string implementation;
    std::string softmax_implementation;
  };

  double scores_of(const Way& way) const {
    return static_cast<double>(way.heads * way.rows) * static_cast<double>(p_.keys);
  }

  Plan plan(const Way& way) {
    Plan plan;
    plan.way = way;
    plan.scores.resize(static_cast<std::size_t>(scores_of(way)));
    for (Index first = 0; first < rows_; first += way.rows) {
      Block b;
      b.first = first;
      b.rows = std::min(way.rows, rows_ - first);
      b.keys = masked_ ? Keys{p_.keys_of(first).first, p_.keys_of(first + b.rows - 1).last}
                       : p_.keys_of(p_.queries - 1);
      const Index columns = b.keys.last - b.keys.first;
      const memory::desc query = matrices(way.heads, b.rows, p_.dim, rows_ * p_.dim, p_.dim, 1);
      const memory::desc key = matrices(way.heads, p_.dim, columns, p_.keys * p_.dim, 1, p_.dim);
      const memory::desc scores = matrices(way.heads, b.rows, columns, b.rows * columns, columns, 1);
      const memory::desc value =
          matrices(way.heads, columns, p_.value_dim, p_.keys * p_.value_dim, p_.value_dim, 1);
      const memory::desc output =
          matrices(way.heads, b.rows, p_.value_dim, rows_ * p_.value_dim, p_.value_dim, 1);
      dnnl::primitive_attr scaled;
      scaled.set_output_scales(0, {p_.scale});
      const dnnl::matmul::primitive_desc products(dnnl::matmul::desc(query, key, scores), scaled, engine_);
      const dnnl::matmul::primitive_desc values(dnnl::matmul::desc(scores, value, output), engine_);
      const dnnl::softmax_forward::primitive_desc softmax(
          dnnl::softmax_forward::desc(dnnl::prop_kind::forward_inference, scores, 2), engine_);
      b.products = dnnl::matmul(products);
      b.values = dnnl::matmul(values);
      b.softmax = dnnl::softmax_forward(softmax);
      plan.implementation = products.impl_info_str();
      plan.softmax_implementation = softmax.impl_info_str();
      b.query = memory(query, engine_, nullptr);
      b.key = memory(key, engine_, nullptr);
      b.value = memory(value, engine_, nullptr);
      b.scores = memory(scores, engine_, plan.scores.data());
      b.output = memory(output, engine_, nullptr);
      plan.blocks.push_back(std::move(b));
    }
    return plan;
  }

  void run(Plan& plan, std::size_t turn, float* output) {
    const auto at = [](const tensor::Tensor<4>& tensor, Index offset) {
      return const_cast<float*>(tensor.data()) + offset;
    };
    for (Index head = 0; head < heads_; head += plan.way.heads)
      for (Block& b : plan.blocks) {
        b.query.set_data_handle(at(p_.query[turn], (head * rows_ + b.first) * p_.dim));
        b.key.set_data_handle(at(p_.key[turn], (head * p_.keys + b.keys.first) * p_.dim));
        b.value.set_data_handle(at(p_.value[turn], (head * p_.keys + b.keys.first) * p_.value_dim));
        b.output.set_data_handle(output + (head * rows_ + b.first) * p_.value_dim);
        b.products.execute(stream_,
                           {{DNNL_ARG_SRC, b.query}, {DNNL_ARG_WEIGHTS, b.key}, {DNNL_ARG_DST, b.scores}});
        if (masked_) mask(plan, b);
        b.softmax.execute(stream_, {{DNNL_ARG_SRC, b.scores}, {DNNL_ARG_DST, b.scores}});
        b.values.execute(stream_,
                         {{DNNL_ARG_SRC, b.scores}, {DNNL_ARG_WEIGHTS, b.value}, {DNNL_ARG_DST, b.output}});
      }
    stream_.wait();
  }

  void mask(Plan& plan, const Block& b) const {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const Index columns = b.keys.last - b.keys.first;
#pragma omp parallel for collapse(2) num_threads(p_.threads)
    for (Index head = 0; head < plan.way.heads; ++head)
      for (Index i = 0; i < b.rows; ++i) {
        float* scores = plan.scores.data() + (head * b.rows + i) * columns;
        const Keys seen = p_.keys_of(b.first + i);
        std::fill(scores, scores + (seen.first - b.keys.first), -infinity);
        std::fill(scores + (seen.last - b.keys.first), scores + columns, -infinity);
      }
  }

  const AttentionProblem p_;
  Index heads_ = 1;  ///< with keys of their own
  Index rows_ = 1;   ///< of a head
  bool masked_ = false;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<Plan> plans_;
  Plan plan_;
};

}  // namespace

namespace attention::peers {
std::unique_ptr<Library> onednn_attention(const Json& open) { return std::make_unique<OneDnnAttention>(read_attention(open)); }
}  // namespace attention::peers
