#pragma once

#include <functional>
#include <string>
#include <vector>

#include "conformance_case.hpp"

/// Windows of convolutions and pools as the standard describes them, found by walking: a window begins at the padding's first place
/// and steps on for as long as it may. Nothing of this knows the code that it judges.
namespace attention::tests {

/// A window over some axes, and where it may stand.
struct WalkedWindow {
  std::vector<Index> input, kernel, strides, dilations, before, after;
  std::string auto_pad = "NOTSET";
  bool ceil_mode = false;
  std::vector<std::vector<Index>> starts;  ///< of each axis: where each output's window begins, in places of the input

  std::size_t rank() const { return input.size(); }
  /// batch, channels, and the number of windows along each axis.
  std::vector<Index> shape(Index batch, Index channels) const;
  std::vector<Index> input_shape(Index batch, Index channels) const;
  /// Calls visit(place in a plane of the input, or −1 in the padding, or −2 beyond it; number of the tap) for each tap of the window
  /// at these outputs, the last axis first to change.
  void visit_taps(const std::vector<Index>& output, const std::function<void(Index, Index)>& visit) const;
  /// Calls visit(output, number of the output in its plane) for each.
  void visit_outputs(const std::function<void(const std::vector<Index>&, Index)>& visit) const;
  /// Writes the attributes; what is usual is left out now and then.
  void write_to(CaseWriter& writer, numerics::Random& random) const;
};

/// Any window of one to three axes that fits somewhere; of pools (`pool`) with ceil_mode. Paddings stay below the kernel's reach.
WalkedWindow random_window(numerics::Random& random, bool pool);

/// One of the numbers.
Index one_of(numerics::Random& random, std::initializer_list<Index> values);

}  // namespace attention::tests
