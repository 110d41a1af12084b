#include "serve.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <limits>

#include "tensor/npy.hpp"

namespace attention::peers {

namespace {

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Problem read_problem(const Json& open) {
  if (open.value("mechanism", "dot_product") != "dot_product") throw Unsupported("dot_product alone");
  const Json shape = open.at("shape");
  const auto size = [&](const char* key, Index otherwise) {
    return shape.contains(key) ? shape.at(key).get<Index>() : otherwise;
  };
  Problem p;
  p.batch = size("batch", 1);
  p.heads = size("heads", 1);
  p.kv_heads = size("kv_heads", p.heads);
  p.queries = size("queries", 1);
  p.keys = size("keys", p.queries);
  p.dim = size("dim", 1);
  p.value_dim = size("value_dim", p.dim);
  p.causal = size("causal", 0) != 0;
  p.window = size("window", 0);
  p.scale = 1 / std::sqrt(static_cast<float>(p.dim));
  p.threads = open.at("threads").get<int>();
  if (size("kv_dtype", 0) != 0) throw Unsupported("keys and values of 16 bits");

  const std::filesystem::path folder = open.at("folder").get<std::string>();
  const auto copies = open.at("copies").get<std::size_t>();
  const auto load = [&](const char* name, Index heads, Index rows, Index row_size,
                        std::vector<Tensor<4>>& to) {
    to.assign(copies, tensor::load<float, 4>(folder / (std::string(name) + ".npy")));
    const Index wanted[] = {p.batch, heads, rows, row_size};
    if (!std::ranges::equal(to.front().shape(), wanted,
                            [](auto a, auto b) { return static_cast<Index>(a) == b; }))
      throw std::runtime_error(std::string(name) + ".npy has another shape than was told");
  };
  load("query", p.heads, p.queries, p.dim, p.query);
  load("key", p.kv_heads, p.keys, p.dim, p.key);
  load("value", p.kv_heads, p.keys, p.value_dim, p.value);
  return p;
}

/// One conversation.
class Server {
 public:
  explicit Server(const std::function<std::unique_ptr<Library>(const Problem&)>& make) : make_(make) {}

  Json answer(const Json& question) {
    if (question.contains("open")) return open(question["open"]);
    if (!library_) throw std::runtime_error("nothing is open");
    if (question.contains("run")) return run(question["run"].get<int>());
    if (question.contains("answer")) {
      const auto file = question["answer"].get<std::string>();
      tensor::save(std::filesystem::path(file), output_);
      return {{"answer", file}};
    }
    // None of these libraries times itself.
    if (question.contains("finish")) return {{"operator_seconds", Json::array()}};
    throw std::runtime_error("an unknown question");
  }

 private:
  Json open(const Json& how) {
    try {
      problem_ = read_problem(how);
      library_ = make_(problem_);
    } catch (const Unsupported& reason) {
      return {{"unsupported", reason.what()}};
    }
    const auto size = [](Index n) { return static_cast<std::size_t>(n); };
    output_ = tensor::empty<4>(
        {size(problem_.batch), size(problem_.heads), size(problem_.queries), size(problem_.value_dim)});
    return {{"ready", true},
            {"version", library_->version()},
            {"kernel", library_->kernel()},
            {"threads", problem_.threads},
            {"copies", problem_.query.size()}};
  }

  Json run(int runs) {
    // A library that writes nothing must not pass for right.
    std::ranges::fill(output_, std::numeric_limits<float>::quiet_NaN());
    Json seconds = Json::array();
    for (int i = 0; i < runs; ++i)
      seconds.push_back(seconds_of([&] { library_->run(turn_++ % problem_.query.size(), output_.data()); }));
    return {{"seconds", seconds}};
  }

  std::function<std::unique_ptr<Library>(const Problem&)> make_;
  Problem problem_;
  std::unique_ptr<Library> library_;
  Tensor<4> output_;
  std::size_t turn_ = 0;
};

}  // namespace

Keys Problem::keys_of(Index i) const {
  const Index own = i + std::max<Index>(0, keys - queries);
  const Index last = causal ? own + 1 : (window > 0 ? own + window : keys);
  const Index first = window > 0 ? own - window + 1 : 0;
  return {std::clamp<Index>(first, 0, keys), std::clamp<Index>(last, 0, keys)};
}

int serve(const std::function<std::unique_ptr<Library>(const Problem&)>& make) {
  Server server(make);
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
