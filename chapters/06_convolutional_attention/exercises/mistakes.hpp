#pragma once

#include <vector>

#include "convolution.hpp"
#include "exercise/exercise.hpp"
#include "non_local.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

// What is often done wrong in this chapter, with the answer that comes of it.
std::vector<exercise::Mistake<SqueezeExcitationProblem>> squeeze_excitation_mistakes();
std::vector<exercise::Mistake<ConvolutionProblem>> convolution_mistakes();
std::vector<exercise::Mistake<NonLocalProblem>> non_local_mistakes();

}  // namespace attention::convolutional
