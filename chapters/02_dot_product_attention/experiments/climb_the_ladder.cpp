#include <fmt/format.h>

#include "backward.hpp"
#include "experiments/images.hpp"
#include "ladder/climber.hpp"
#include "ladder/peak_memory.hpp"
#include "ladder/publish.hpp"

namespace attention::dot_product {

namespace {

/// The chapter's own problem, on all threads.
void look_up(const Context& c, const ladder::AnyMechanism& any, const LookUp& best) {
  const auto trial = ladder::make_trial(mechanism(), test_problem(c.data, best));
  const ladder::PeakMemory peak("dot_product", *trial);
  ladder::ClimbOptions options;
  options.threads = {c.threads};
  options.seconds = c.quick ? 0.05 : 0.5;
  options.sample_above_s = c.quick ? 0.5 : 1;
  options.whole = {any.rung_index("fused")};
  options.reference_flops = c.quick ? 3e8 : 2e9;
  options.peak_memory = [&](std::size_t rung, int threads, ladder::PeakPlace place) { return peak.measure(any.rungs()[rung].name, threads, place); };
  const std::string title = fmt::format("The look-up, {} queries × {} keys × {} pixels{}", trial->shape()["queries"],
                                        trial->shape()["keys"], trial->shape()["dim"],
                                        c.data.real ? "" : " (generated stand-in data)");
  const auto found = c.climber.problem(any, "look_up", title, *trial, options);
  if (const ladder::Measurement* m = find_measurement(found, "fused", c.threads)) {
    c.figure("look_up_fused_seconds", m->median_s, "s", fmt::format("time of the fused rung on the look-up, {} threads", c.threads));
    c.figure("look_up_fused_max_error", m->max_error, "1", "its largest error, relative to the largest output");
    if (m->peak_extra_bytes)
      c.figure("look_up_fused_peak_extra_bytes", *m->peak_extra_bytes, "B", "its peak memory beyond inputs and output");
  }
  if (const ladder::Measurement* m = find_measurement(found, "simd", c.threads); m && m->peak_extra_bytes)
    c.figure("look_up_simd_peak_extra_bytes", *m->peak_extra_bytes, "B",
             fmt::format("the same of the simd rung, which stores the weights{}", m->peak_predicted ? ", computed from the sizes" : ""));
}

}  // namespace

void climb_the_ladder(const Context& c, const LookUp& best) {
  const ladder::MechanismPtr any = ladder::publish(mechanism());
  look_up(c, *any, best);
  c.climber.standard_shapes(*any);
  c.climber.sweeps(*any);
  const ladder::MechanismPtr backward = backward_mechanism();
  c.climber.standard_shapes(*backward);
  c.climber.sweeps(*backward);
}

}  // namespace attention::dot_product
