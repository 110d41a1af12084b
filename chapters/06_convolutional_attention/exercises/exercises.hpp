#pragma once

#include <vector>

#include "convolution.hpp"
#include "exercise/exercise.hpp"
#include "non_local.hpp"
#include "squeeze_excitation.hpp"

namespace attention::convolutional {

// What the reader writes, one function an exercise.
void my_squeeze(const SqueezeExcitationProblem& p, GatedMaps& out);
void my_convolution(const ConvolutionProblem& p, ConvolutionOutput& out);
void my_non_local(const NonLocalProblem& p, NonLocalOutput& out);
void my_one_pass(const NonLocalProblem& p, NonLocalOutput& out);

std::vector<exercise::Exercise> exercises();

}  // namespace attention::convolutional
