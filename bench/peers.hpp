#pragma once

#include <string_view>
#include <vector>

#include "peer_process.hpp"

namespace attention::bench {

/// The implementations of others that stand beside the ladders, whether they are installed or
/// not. Each is a program in peers/ beside this one.
std::vector<PeerProgram> all_peers();

/// Those that `names` tells, as "openblas,onednn"; all where it is empty. Throws UserError, listing the
/// names, for an unknown one.
std::vector<PeerProgram> choose_peers(std::string_view names);

}  // namespace attention::bench
