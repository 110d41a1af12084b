// The peer "onednn": which mechanisms it computes.
#include "onednn.hpp"

#include <dnnl.hpp>

using namespace attention;

std::string peers::onednn_version() {
  const dnnl_version_t* v = dnnl::version();
  return "oneDNN " + std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

int main() {
  return peers::serve({{"dot_product", peers::onednn_attention}, {"convolution", peers::onednn_convolution}});
}
