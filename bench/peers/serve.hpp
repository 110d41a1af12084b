#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "program/json.hpp"
#include "tensor/tensor.hpp"

// What the peers that are written in C++ share: the other side of PeerProcess.
namespace attention::peers {

using tensor::Index;

/// Why a library cannot compute this problem, or not with this memory. One line.
class Unsupported : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A library with a problem before it, of which it holds copies.
class Library {
 public:
  virtual ~Library() = default;
  virtual std::string version() const = 0;
  virtual std::string kernel() const = 0;
  virtual int threads() const = 0;
  virtual std::size_t copies() const = 0;
  virtual std::array<Index, 4> output_shape() const = 0;
  /// Computes copy `turn` of the inputs into `output`, of output_shape(), row-major.
  virtual void run(std::size_t turn, float* output) = 0;
  /// Seconds of the library's operator alone in the last run, where the run has also turned the inputs into the
  /// library's layout and the output back; none where the run is the operator.
  virtual std::optional<double> operator_seconds() const { return {}; }
};

/// By the mechanism's name: makes the library for what "open" tells. May throw Unsupported.
using Makers = std::map<std::string, std::function<std::unique_ptr<Library>(const Json& open)>>;

/// Answers on standard output what is asked on standard input until it ends; gives the exit status. See
/// bench/peer_process.hpp for the lines.
int serve(const Makers& makers);

/// The input NAME.npy, a copy for each turn. Throws where its shape is another.
template <std::size_t N>
std::vector<tensor::Tensor<N>> load_copies(const Json& open, const std::string& name,
                                           const std::array<Index, N>& shape);

double seconds_of(const std::function<void()>& work);

/// The fastest of `ways`: each is run once to warm up and then `rounds` times in turn; the position of the
/// one with the least time. `run(way)` does one run.
std::size_t fastest(std::size_t ways, int rounds, const std::function<void(std::size_t)>& run);

}  // namespace attention::peers
