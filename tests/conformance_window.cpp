#include "conformance_window.hpp"

#include <algorithm>

namespace attention::tests {

namespace {

/// Walks along one axis. Returns nothing where not even one window fits.
std::vector<Index> walk(WalkedWindow& w, std::size_t axis) {
  const Index reach = (w.kernel[axis] - 1) * w.dilations[axis] + 1;
  const Index stride = w.strides[axis];
  std::vector<Index> starts;
  if (w.auto_pad.starts_with("SAME")) {
    for (Index start = 0; start < w.input[axis]; start += stride) starts.push_back(start);
    const Index missing = starts.empty() ? 0 : std::max<Index>(starts.back() + reach - w.input[axis], 0);
    w.before[axis] = w.auto_pad == "SAME_UPPER" ? missing / 2 : (missing + 1) / 2;
    w.after[axis] = missing - w.before[axis];
    for (Index& start : starts) start -= w.before[axis];
    return starts;
  }
  const Index end = w.input[axis] + w.after[axis];
  for (Index start = -w.before[axis];; start += stride) {
    const bool fits = start + reach <= end;
    // With ceil_mode one more, where the last left something; but none that begins in the padding at the end.
    const bool left = starts.empty() ? start + reach - stride < end : starts.back() + reach < end;
    if (!fits && !(w.ceil_mode && w.auto_pad == "NOTSET" && left)) break;
    if (w.ceil_mode && w.auto_pad == "NOTSET" && start >= w.input[axis]) break;
    starts.push_back(start);
  }
  return starts;
}

}  // namespace

Index one_of(numerics::Random& random, std::initializer_list<Index> values) {
  return values.begin()[static_cast<std::size_t>(random.bits() % values.size())];
}

std::vector<Index> WalkedWindow::shape(Index batch, Index channels) const {
  std::vector<Index> lengths{batch, channels};
  for (const auto& axis : starts) lengths.push_back(static_cast<Index>(axis.size()));
  return lengths;
}

std::vector<Index> WalkedWindow::input_shape(Index batch, Index channels) const {
  std::vector<Index> lengths{batch, channels};
  lengths.insert(lengths.end(), input.begin(), input.end());
  return lengths;
}

void WalkedWindow::visit_taps(const std::vector<Index>& output, const std::function<void(Index, Index)>& visit) const {
  std::vector<Index> tap(rank(), 0);
  for (Index number = 0;; ++number) {
    Index place = 0;
    for (std::size_t axis = 0; axis < rank(); ++axis) {
      const Index at = starts[axis][static_cast<std::size_t>(output[axis])] + tap[axis] * dilations[axis];
      if (at >= input[axis] + after[axis]) place = -2;
      if (place != -2 && (at < 0 || at >= input[axis])) place = -1;
      if (place >= 0) place = place * input[axis] + at;
    }
    visit(place, number);
    std::size_t axis = rank();
    while (axis > 0 && ++tap[axis - 1] == kernel[axis - 1]) tap[--axis] = 0;
    if (axis == 0) return;
  }
}

void WalkedWindow::visit_outputs(const std::function<void(const std::vector<Index>&, Index)>& visit) const {
  for (const auto& axis : starts)
    if (axis.empty()) return;
  std::vector<Index> output(rank(), 0);
  for (Index number = 0;; ++number) {
    visit(output, number);
    std::size_t axis = rank();
    while (axis > 0 && ++output[axis - 1] == static_cast<Index>(starts[axis - 1].size())) output[--axis] = 0;
    if (axis == 0) return;
  }
}

void WalkedWindow::write_to(CaseWriter& w, numerics::Random& random) const {
  const auto coin = [&] { return random.uniform() < 0.5; };
  const auto ones = std::vector<Index>(rank(), 1);
  if (strides != ones || coin()) w.attribute("strides", strides);
  if (dilations != ones || coin()) w.attribute("dilations", dilations);
  if (auto_pad != "NOTSET" || coin()) w.attribute("auto_pad", auto_pad);
  std::vector<Index> pads = before;
  pads.insert(pads.end(), after.begin(), after.end());
  if (auto_pad == "NOTSET" && (pads != std::vector<Index>(2 * rank(), 0) || coin())) w.attribute("pads", pads);
}

WalkedWindow random_window(numerics::Random& random, bool pool) {
  for (;;) {
    WalkedWindow w;
    const Index rank = one_of(random, {1, 2, 2, 3});
    const char* const how[] = {"NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    w.auto_pad = how[random.bits() % 6];
    w.ceil_mode = pool && random.uniform() < 0.5;
    for (Index axis = 0; axis < rank; ++axis) {
      w.input.push_back(rank == 3 ? one_of(random, {1, 2, 4, 5, 7}) : rank == 2 ? one_of(random, {1, 2, 3, 5, 8, 13, 17}) : one_of(random, {1, 2, 7, 33, 100}));
      w.kernel.push_back(one_of(random, {1, 2, 3, 3, 4, 5}));
      w.strides.push_back(one_of(random, {1, 1, 2, 3, 4}));
      w.dilations.push_back(one_of(random, {1, 1, 1, 2, 3}));
      // A padding as long as the kernel's reach could make windows of nothing but padding.
      const auto padding = [&] { return w.auto_pad == "NOTSET" ? static_cast<Index>(random.bits() % static_cast<std::uint64_t>(w.kernel.back())) : 0; };
      w.before.push_back(padding());
      w.after.push_back(padding());
    }
    bool fits = true;
    for (std::size_t axis = 0; axis < w.rank(); ++axis) {
      w.starts.push_back(walk(w, axis));
      fits = fits && !w.starts.back().empty();
    }
    if (fits) return w;
  }
}

}  // namespace attention::tests
