#include "serve.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <limits>

#include "tensor/npy.hpp"

namespace attention::peers {

namespace {

/// One conversation.
class Server {
 public:
  explicit Server(const Makers& makers) : makers_(makers) {}

  Json answer(const Json& question) {
    if (question.contains("open")) return open(question["open"]);
    if (!library_) throw std::runtime_error("nothing is open");
    if (question.contains("run")) return run(question["run"].get<int>());
    if (question.contains("answer")) {
      const auto file = question["answer"].get<std::string>();
      tensor::save(std::filesystem::path(file), output_);
      return {{"answer", file}};
    }
    if (question.contains("finish")) return {{"operator_seconds", operator_seconds_}};
    throw std::runtime_error("an unknown question");
  }

 private:
  Json open(const Json& how) {
    try {
      const std::string mechanism = how.value("mechanism", "dot_product");
      const auto maker = makers_.find(mechanism);
      if (maker == makers_.end()) throw Unsupported("not " + mechanism);
      library_ = maker->second(how);
    } catch (const Unsupported& reason) {
      return {{"unsupported", reason.what()}};
    }
    tensor::Tensor<4>::shape_type shape;
    std::ranges::transform(library_->output_shape(), shape.begin(),
                           [](Index n) { return static_cast<std::size_t>(n); });
    output_ = tensor::empty<4>(shape);
    return {{"ready", true},
            {"version", library_->version()},
            {"kernel", library_->kernel()},
            {"threads", library_->threads()},
            {"copies", library_->copies()}};
  }

  Json run(int runs) {
    // A library that writes nothing must not pass for right.
    std::ranges::fill(output_, std::numeric_limits<float>::quiet_NaN());
    Json seconds = Json::array();
    for (int i = 0; i < runs; ++i) {
      seconds.push_back(seconds_of([&] { library_->run(turn_++ % library_->copies(), output_.data()); }));
      if (const std::optional<double> own = library_->operator_seconds()) operator_seconds_.push_back(*own);
    }
    return {{"seconds", seconds}};
  }

  const Makers& makers_;
  std::unique_ptr<Library> library_;
  tensor::Tensor<4> output_;
  std::size_t turn_ = 0;
  Json operator_seconds_ = Json::array();  ///< of every run since the beginning, or of none
};

}  // namespace

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <std::size_t N>
std::vector<tensor::Tensor<N>> load_copies(const Json& open, const std::string& name,
                                           const std::array<Index, N>& shape) {
  const std::filesystem::path folder = open.at("folder").get<std::string>();
  std::vector<tensor::Tensor<N>> copies(open.at("copies").get<std::size_t>(),
                                        tensor::load<float, N>(folder / (name + ".npy")));
  if (!std::ranges::equal(copies.at(0).shape(), shape, [](auto a, auto b) { return static_cast<Index>(a) == b; }))
    throw std::runtime_error(name + ".npy has another shape than was told");
  return copies;
}
template std::vector<tensor::Tensor<1>> load_copies(const Json&, const std::string&, const std::array<Index, 1>&);
template std::vector<tensor::Tensor<4>> load_copies(const Json&, const std::string&, const std::array<Index, 4>&);

int serve(const Makers& makers) {
  Server server(makers);
  for (std::string line; std::getline(std::cin, line);) {
    Json answer;
    try {
      answer = server.answer(Json::parse(line));
    } catch (const std::exception& error) {
      answer = {{"fault", error.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

std::size_t fastest(std::size_t ways, int rounds, const std::function<void(std::size_t)>& run) {
  std::vector<double> best(ways, std::numeric_limits<double>::infinity());
  for (int round = 0; round <= rounds; ++round)
    for (std::size_t way = 0; way < ways; ++way) {
      const double seconds = seconds_of([&] { run(way); });
      if (round > 0) best[way] = std::min(best[way], seconds);
    }
  return static_cast<std::size_t>(std::ranges::min_element(best) - best.begin());
}

}  // namespace attention::peers
