#include "ladder/publish.hpp"

namespace attention::recurrent_attention {
std::vector<ladder::MechanismPtr> mechanisms();
std::vector<ladder::MechanismPtr> mechanisms() { return {}; }
}
