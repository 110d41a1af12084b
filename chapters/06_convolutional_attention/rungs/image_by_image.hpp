#pragma once

#include <omp.h>

#include "rungs/streaming_store.hpp"
#include "tensor/tensor.hpp"

namespace attention::convolutional {

using tensor::Index;

/// Calls one(b, each) for every image. Each thread has images of its own; where there are fewer images than threads,
/// the threads share the parts of each image instead: each(n, body) calls body(0) … body(n − 1), and returns when all
/// are done. What one(b, each) computes may not depend on who calls what. `past_caches` says that bodies write by
/// streaming stores.
template <bool past_caches, class One>
void image_by_image(Index batch, One one) {
  const auto alone = [](Index n, auto body) {
    for (Index i = 0; i < n; ++i) body(i);
  };
  const auto shared = [](Index n, auto body) {
#pragma omp parallel
    {
#pragma omp for schedule(static)
      for (Index i = 0; i < n; ++i) body(i);
      if (past_caches) finish_streaming();
    }
  };
  if (batch < omp_get_max_threads()) {
    for (Index b = 0; b < batch; ++b) one(b, shared);
    return;
  }
#pragma omp parallel
  {
#pragma omp for schedule(static)
    for (Index b = 0; b < batch; ++b) one(b, alone);
    if (past_caches) finish_streaming();
  }
}

}  // namespace attention::convolutional
