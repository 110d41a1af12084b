#include <fmt/format.h>

#include <iostream>

#include "experiments/experiments.hpp"
#include "program/in_parallel.hpp"
#include "program/table.hpp"
#include "read_by_encoder.hpp"

namespace attention::visualising {

namespace {

struct Ways {
  Agreement received, rolled, flowing, place;
};

}  // namespace

void explains_an_encoder(const Context& c) {
  if (c.encoder == nullptr || !c.glosses.real) {
    std::cout
        << "What the encoder's answer hangs on: left out, the encoder or the dictionary is not there.\n\n";
    return;
  }
  const std::size_t count = c.quick ? 60 : 500;
  std::vector<Ways> found(count);
  program::in_parallel(count, [&](std::size_t i) {
    const std::string& text = c.glosses.glosses[i * c.glosses.glosses.size() / count].text;
    std::vector<std::size_t> pieces = c.encoder->tokeniser().encode(text.substr(0, text.find("; \"")));
    if (pieces.size() < 2) return;
    const EncoderReading r = read_with(*c.encoder, std::move(pieces), "a gloss");
    std::vector<double> early;  // a yardstick that looks at nothing
    for (std::size_t j = 0; j < r.received.size(); ++j) early.push_back(-static_cast<double>(j));
    found[i] = {agreement(r.received, r.leave_one_out), agreement(r.rolled, r.leave_one_out),
                agreement(r.flowing, r.leave_one_out), agreement(early, r.leave_one_out)};
  });
  program::Table table({"pieces ordered by", "Kendall's tau", "Spearman's rho"});
  Json rows = Json::array();
  const auto way = [&](const char* name, const char* figure, Agreement Ways::*which) {
    double tau = 0, rho = 0, texts = 0;
    for (const Ways& f : found) {
      const Agreement& a = f.*which;
      if (!a.tau || !a.rho) continue;
      tau += *a.tau, rho += *a.rho, ++texts;
    }
    if (texts > 0) tau /= texts, rho /= texts;
    table.add({name, fmt::format("{:.3f}", tau), fmt::format("{:.3f}", rho)});
    rows.push_back(
        {{"pieces ordered by", name}, {"Kendall's tau", tau}, {"Spearman's rho", rho}, {"glosses", texts}});
    c.figure(
        fmt::format("encoder_tau_{}", figure), tau, "tau",
        fmt::format(
            "Kendall's tau of {} and the turn of the embedding without the piece, mean over {:.0f} glosses",
            name, texts));
  };
  way("the mean weight on them", "received", &Ways::received);
  way("rollout", "rollout", &Ways::rolled);
  way("flow", "flow", &Ways::flowing);
  way("their place, the first before all", "place", &Ways::place);
  std::cout << fmt::format(
      "Does the sentence encoder look at what its embedding hangs on? Against the turn of the embedding "
      "without a piece\n{}\n",
      table.text());
  c.results.write("encoder", {{"rows", rows}});
}

}  // namespace attention::visualising
