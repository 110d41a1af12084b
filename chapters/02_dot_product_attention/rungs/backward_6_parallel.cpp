// Rung 6, parallel: parts of the work for all threads, and no two that write to the same place.
//
// What changed: a head's keys are cut into parts. A part owns the gradients of its keys and values; what it
// adds to the gradients of the queries goes into a sum of its own, and these partial sums are added in the
// order of the keys when all are done. So no thread waits for another, nothing is added atomically, and the
// order of every sum is known beforehand: the number of parts follows from the shape (16 pieces of work,
// where there are keys enough), never from the number of threads.
//
// Where there are heads enough, a part is a whole head, and no partial sum is needed. With a causal mask the
// first keys are seen by most queries: their parts come first, and the short ones fill the gaps at the end.
#include <omp.h>

#include <algorithm>

#include "rungs/backward_part.hpp"
#include "rungs/backward_rungs.hpp"

namespace attention::dot_product {

namespace {

/// Pieces of work that are asked for: some for each of a few threads.
constexpr Index least_pieces = 16;

struct Parts {
  Index count;  ///< parts of a head
  Index keys;   ///< of each but the last, a whole number of tiles

  explicit Parts(const BackwardProblem& p) {
    const Index tile = backward_block_keys;
    const Index tiles = (p.keys() + tile - 1) / tile;
    const Index wanted = std::min(tiles, (least_pieces + p.all_heads() - 1) / p.all_heads());
    const Index tiles_each = (tiles + wanted - 1) / wanted;
    keys = tiles_each * tile;
    count = (tiles + tiles_each - 1) / tiles_each;
  }
};

/// Floats of all partial sums but the first, which stands in the output.
Index partial_floats(const BackwardProblem& p, const Parts& parts) {
  return (parts.count - 1) * p.all_heads() * p.queries() * p.dim();
}

}  // namespace

void backward_parallel(const BackwardProblem& p, BackwardOutput& out) {
  prepare(p, out);
  const Parts parts(p);
  const Index matrix = p.queries() * p.dim();
  tensor::UnsetBuffer partial(static_cast<std::size_t>(partial_floats(p, parts)));
#pragma omp parallel
  {
    BackwardPart worker(p, std::min(parts.keys, p.keys()));
#pragma omp for collapse(2) schedule(dynamic)
    for (Index part = 0; part < parts.count; ++part)
      for (Index head = 0; head < p.all_heads(); ++head) {
        const KeyRange keys{part * parts.keys, std::min((part + 1) * parts.keys, p.keys())};
        float* sum = part == 0 ? out.query_gradient_of(head)
                               : partial.data() + ((part - 1) * p.all_heads() + head) * matrix;
        worker.run(head, keys, sum, out);
      }
    // dQ = the parts' sums, in the order of the keys. All heads lie side by side.
    if (parts.count > 1) {
#pragma omp for schedule(static)
      for (Index i = 0; i < p.all_heads() * p.queries(); ++i) {
        float* row = out.query_gradient.data() + i * p.dim();
        for (Index part = 1; part < parts.count; ++part) {
          const float* more = partial.data() + (part - 1) * p.all_heads() * matrix + i * p.dim();
          for (Index c = 0; c < p.dim(); ++c) row[c] += more[c];
        }
      }
    }
  }
}

std::size_t backward_parallel_workspace(const BackwardProblem& p) {
  const Parts parts(p);
  return static_cast<std::size_t>(omp_get_max_threads()) *
             BackwardPart::bytes(p, std::min(parts.keys, p.keys())) +
         static_cast<std::size_t>(partial_floats(p, parts)) * sizeof(float);
}

}  // namespace attention::dot_product
