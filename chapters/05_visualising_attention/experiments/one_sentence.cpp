#include <iostream>

#include "experiments/experiments.hpp"
#include "look_at_texts.hpp"

namespace attention::visualising {

void one_sentence(const Context& c) {
  if (c.encoder == nullptr) {
    std::cout << "A sentence in an encoder: left out, the model is not there. ./course run 05 fetches it "
                 "where npm and a network are.\n\n";
    return;
  }
  look_at_texts(std::vector<std::string>{"The chef who burned the soups was sorry, so he cooked them again."},
                *c.encoder, c.results, std::cout);
}

}  // namespace attention::visualising
