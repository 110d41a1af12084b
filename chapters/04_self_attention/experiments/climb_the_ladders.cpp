#include <fmt/format.h>

#include "experiments/words.hpp"
#include "ladder/climber.hpp"
#include "ladder/publish.hpp"

namespace attention::self_attention {

namespace {

/// The chapter's own problem: the words of the dictionary, each looking at those before it, on all threads.
void dictionary(const Context& c, const ladder::AnyMechanism& causal) {
  const Index n = c.quick ? 512 : 2048;
  const std::vector<std::string> text = running_text(c.data, static_cast<std::size_t>(n), 41);
  const auto trial = ladder::make_trial(mechanism(Kind::causal), word_problem(text, 2, 64, 1, Mask::causal(), Positions::rotary));
  ladder::ClimbOptions options;
  options.threads = {c.threads};
  options.seconds = c.quick ? 0.05 : 0.2;
  options.sample_above_s = c.quick ? 0.2 : 0.5;
  options.reference_flops = c.quick ? 1e8 : 5e8;
  const std::string title = fmt::format("{} words of the dictionary, causal, 2 heads of 64, rotary positions{}", text.size(),
                                        c.data.real ? "" : " (generated stand-in data)");
  const auto found = c.climber.problem(causal, "dictionary", title, *trial, options);
  if (const ladder::Measurement* m = find_measurement(found, "fused", c.threads))
    c.figure("dictionary_fused_seconds", m->median_s, "s", fmt::format("time of the fused rung on the dictionary's words, {} threads", c.threads));
}

}  // namespace

void climb_the_ladders(const Context& c) {
  const std::vector<ladder::MechanismPtr> all = mechanisms();
  dictionary(c, *all[static_cast<std::size_t>(Kind::causal)]);
  for (const ladder::MechanismPtr& each : all) {
    c.climber.standard_shapes(*each);
    c.climber.sweeps(*each);
  }
}

}  // namespace attention::self_attention
