#include <algorithm>

#include "exercises/mistakes.hpp"

namespace attention::convolutional {

namespace {

using exercise::Arrays;

struct Fault {
  bool flipped = false;
  bool transposed = false;
  bool no_bias = false;
  bool no_dilation = false;
  bool one_channel = false;
  bool wraps = false;    ///< beyond the left border stands the row before, as memory has it
  bool repeats = false;  ///< the border repeats the pixel next to it
  Index shift = 0;       ///< of the window
  bool last_tap = true;
  bool top_left = false;  ///< the window begins at the pixel instead of around it
};

Arrays answer(const ConvolutionProblem& p, const Fault& fault) {
  const Index kernel = p.kernel();
  const Index dilation = fault.no_dilation ? 1 : p.dilation;
  const Index radius = fault.top_left ? 0 : dilation * (kernel / 2);
  const Index taps = fault.last_tap ? kernel : kernel - 1;
  Arrays all(1);
  for (Index b = 0; b < p.batch(); ++b)
    for (Index o = 0; o < p.out_channels(); ++o)
      for (Index y = 0; y < p.height(); ++y)
        for (Index x = 0; x < p.width(); ++x) {
          double sum = fault.no_bias ? 0 : static_cast<double>(p.bias.data()[o]);
          for (Index c = 0; c < (fault.one_channel ? 1 : p.in_channels()); ++c)
            for (Index u = 0; u < taps; ++u)
              for (Index v = 0; v < taps; ++v) {
                Index from_y = y + dilation * u - radius + fault.shift;
                Index from_x = x + dilation * v - radius + fault.shift;
                if (fault.repeats) {
                  from_y = std::clamp<Index>(from_y, 0, p.height() - 1);
                  from_x = std::clamp<Index>(from_x, 0, p.width() - 1);
                }
                const Index place = from_y * p.width() + from_x;
                const bool inside = fault.wraps
                                        ? place >= 0 && place < p.pixels()
                                        : from_y >= 0 && from_y < p.height() && from_x >= 0 && from_x < p.width();
                if (!inside) continue;
                const Index row = fault.flipped ? kernel - 1 - u : fault.transposed ? v : u;
                const Index column = fault.flipped ? kernel - 1 - v : fault.transposed ? u : v;
                sum +=
                    static_cast<double>(p.weight.data()[((o * p.in_channels() + c) * kernel + row) * kernel + column]) *
                    static_cast<double>(p.image_of(b)[c * p.pixels() + place]);
              }
          all[0].push_back(sum);
        }
  return all;
}

}  // namespace

std::vector<exercise::Mistake<ConvolutionProblem>> convolution_mistakes() {
  const auto mistake = [](const char* name, const char* meaning, Fault fault) {
    return exercise::Mistake<ConvolutionProblem>{name, meaning,
                                                 [fault](const ConvolutionProblem& p) { return answer(p, fault); }};
  };
  return {mistake("flipped_kernel", "The kernel is flipped: what networks call a convolution is a cross-correlation.",
                  {.flipped = true}),
          mistake("transposed_kernel", "Rows and columns of the kernel are exchanged: u goes with y, v with x.",
                  {.transposed = true}),
          mistake("no_bias", "The bias is left out.", {.no_bias = true}),
          mistake("no_dilation",
                  "The dilation is ignored: taps stand p.dilation pixels apart, and the radius is that much larger.",
                  {.no_dilation = true}),
          mistake("one_channel", "Only the first input channel is summed.", {.one_channel = true}),
          mistake("border_wraps",
                  "Beyond the left and the right border the rows above and below are read: test x and y, not the place "
                  "in memory.",
                  {.wraps = true}),
          mistake("border_repeats", "The border repeats the pixels next to it; it is zero.", {.repeats = true}),
          mistake("off_by_one", "The window stands one pixel too far to the right and down.", {.shift = 1}),
          mistake("off_by_one", "The window stands one pixel too far to the left and up.", {.shift = -1}),
          mistake("not_centred", "The window begins at the pixel; it stands around it: subtract the radius.",
                  {.top_left = true}),
          mistake("last_tap", "The last row and column of the kernel are left out.", {.last_tap = false})};
}

}  // namespace attention::convolutional
