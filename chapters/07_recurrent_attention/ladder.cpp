#include "text_classifier.hpp"

namespace attention::recurrent_attention {

// The chapter trains a model and climbs no ladder of its own: its products are the micro-kernel's of common/simd.
std::vector<ladder::MechanismPtr> mechanisms() { return {}; }

}  // namespace attention::recurrent_attention
