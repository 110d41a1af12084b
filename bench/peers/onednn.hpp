#pragma once

#include <memory>
#include <string>

#include "serve.hpp"

// The peer "onednn": one library, a file for each mechanism.
namespace attention::peers {

std::string onednn_version();
std::unique_ptr<Library> onednn_attention(const Json& open);
std::unique_ptr<Library> onednn_convolution(const Json& open);

}  // namespace attention::peers
