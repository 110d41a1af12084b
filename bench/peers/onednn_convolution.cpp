// The peer "onednn" on the convolution: its forward primitive, the direct algorithm (Winograd's has another error and
// another roof). The library chooses the layout of image, weights and output, or is given channels last; a short trial
// decides. Weights are turned into its layout once, as a network's are. A run turns the image into that layout,
// convolves, and turns the output back; the convolution's own time is told beside it.
#include <algorithm>
#include <dnnl.hpp>
#include <string>
#include <utility>
#include <vector>

#include "onednn.hpp"

namespace {

using namespace attention;
using dnnl::memory;
using peers::Index;
using tensor::Tensor;

memory::desc described(const memory::dims& shape, memory::format_tag layout) {
  return {shape, memory::data_type::f32, layout};
}

class OneDnnConvolution final : public peers::Library {
 public:
  explicit OneDnnConvolution(const Json& open) : threads_(open.at("threads").get<int>()) {
    const Json shape = open.at("shape");
    const auto size = [&](const char* key) { return shape.at(key).get<Index>(); };
    const Index kernel = size("kernel"), dilation = size("dilation"), radius = dilation * (kernel / 2);
    input_shape_ = {size("batch"), size("in_channels"), size("height"), size("width")};
    output_shape_ = {input_shape_[0], size("out_channels"), input_shape_[2], input_shape_[3]};
    const std::array<Index, 4> weight_shape{output_shape_[1], input_shape_[1], kernel, kernel};
    input_ = peers::load_copies<4>(open, "input", input_shape_);
    weight_ = std::move(peers::load_copies<4>(open, "weight", weight_shape).front());
    bias_ = std::move(peers::load_copies<1>(open, "bias", {output_shape_[1]}).front());

    const memory::dims of_input(input_shape_.begin(), input_shape_.end());
    const memory::dims of_output(output_shape_.begin(), output_shape_.end());
    const memory::dims of_weight(weight_shape.begin(), weight_shape.end());
    std::vector<Plan> plans;
    for (const auto layout : {memory::format_tag::any, memory::format_tag::nhwc}) try {
        const dnnl::convolution_forward::primitive_desc found({dnnl::prop_kind::forward_inference,
                                                               dnnl::algorithm::convolution_direct,
                                                               described(of_input, layout),
                                                               described(of_weight, memory::format_tag::any),
                                                               described({output_shape_[1]}, memory::format_tag::x),
                                                               described(of_output, layout),
                                                               {1, 1},
                                                               {dilation - 1, dilation - 1},
                                                               {radius, radius},
                                                               {radius, radius}},
                                                              engine_);
        plans.push_back(plan(found, of_input, of_weight, of_output));
        plans.back().name = layout == memory::format_tag::any ? "its own layout" : "channels last";
      } catch (const dnnl::error&) {
        // No primitive for this layout.
      }
    if (plans.empty()) throw peers::Unsupported("no primitive for this shape");
    for (Plan& each : plans) turn_in(each, 0);
    plan_ = std::move(plans[peers::fastest(plans.size(), 5, [&](std::size_t way) { convolve(plans[way]); })]);
  }

  int threads() const override { return threads_; }
  std::size_t copies() const override { return input_.size(); }
  std::array<Index, 4> output_shape() const override { return output_shape_; }
  std::string version() const override { return peers::onednn_version(); }
  std::string kernel() const override {
    return "convolution " + plan_.implementation + ", " + plan_.name + "; weights turned beforehand";
  }
  std::optional<double> operator_seconds() const override { return operator_seconds_; }

  void run(std::size_t turn, float* output) override {
    turn_in(plan_, turn);
    operator_seconds_ = peers::seconds_of([&] { convolve(plan_); });
    plan_.plain_output.set_data_handle(output);
    plan_.turn_output.execute(stream_, plan_.output, plan_.plain_output);
    stream_.wait();
  }

 private:
  struct Plan {
    std::string name;
    std::string implementation;
    dnnl::convolution_forward convolution;
    dnnl::reorder turn_input, turn_output;
    memory input, weight, bias, output;  ///< as the primitive wants them
    memory plain_input, plain_output;    ///< as they are given and asked for
  };

  Plan plan(const dnnl::convolution_forward::primitive_desc& found, const memory::dims& input,
            const memory::dims& weight, const memory::dims& output) {
    Plan made;
    made.implementation = found.impl_info_str();
    made.convolution = dnnl::convolution_forward(found);
    made.input = memory(found.src_desc(), engine_);
    made.weight = memory(found.weights_desc(), engine_);
    made.bias = memory(found.bias_desc(), engine_, bias_.data());
    made.output = memory(found.dst_desc(), engine_);
    made.plain_input = memory(described(input, memory::format_tag::nchw), engine_, nullptr);
    made.plain_output = memory(described(output, memory::format_tag::nchw), engine_, nullptr);
    made.turn_input = dnnl::reorder(made.plain_input, made.input);
    made.turn_output = dnnl::reorder(made.output, made.plain_output);
    memory plain_weight(described(weight, memory::format_tag::oihw), engine_, weight_.data());
    dnnl::reorder(plain_weight, made.weight).execute(stream_, plain_weight, made.weight);
    stream_.wait();
    return made;
  }

  void turn_in(Plan& plan, std::size_t turn) {
    plan.plain_input.set_data_handle(input_[turn].data());
    plan.turn_input.execute(stream_, plan.plain_input, plan.input);
    stream_.wait();
  }

  void convolve(Plan& plan) {
    plan.convolution.execute(stream_, {{DNNL_ARG_SRC, plan.input},
                                       {DNNL_ARG_WEIGHTS, plan.weight},
                                       {DNNL_ARG_BIAS, plan.bias},
                                       {DNNL_ARG_DST, plan.output}});
    stream_.wait();
  }

  int threads_ = 1;
  std::array<Index, 4> input_shape_{};
  std::array<Index, 4> output_shape_{};
  std::vector<Tensor<4>> input_;
  Tensor<4> weight_;
  Tensor<1> bias_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  Plan plan_;
  std::optional<double> operator_seconds_;
};

}  // namespace

namespace attention::peers {
std::unique_ptr<Library> onednn_convolution(const Json& open) { return std::make_unique<OneDnnConvolution>(open); }
}  // namespace attention::peers
