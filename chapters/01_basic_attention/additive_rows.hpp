#pragma once

#include "additive.hpp"

/// Additive attention of one short sequence as a training program calls it: the projections are somebody else's, one thread.
/// For long sequences the ladder's rungs are faster.
namespace attention::additive {

/// What goes in: rows that have been projected already, row-major without gaps.
struct ProjectedRows {
  Index queries = 0;
  Index keys = 0;
  Index hidden = 0;
  Index value_dim = 0;
  const float* projected_query = nullptr;  ///< W q: [queries, hidden]
  const float* projected_key = nullptr;    ///< U k: [keys, hidden]
  const float* v = nullptr;                ///< [hidden]
  const float* value = nullptr;            ///< [keys, value_dim]
  Index valid_keys = -1;  ///< only the first so many keys exist, whatever the others hold; negative: all of them
};

/// output [queries, value_dim] and weights [queries, keys]; the keys that do not exist get weight 0. Where no key exists, the
/// output is 0 too.
void attend_rows(const ProjectedRows& rows, float* output, float* weights);

/// Gradients, each of the size of what it belongs to. They are added to what is there.
struct ProjectedRowsGradients {
  float* projected_query = nullptr;
  float* projected_key = nullptr;
  float* v = nullptr;
  float* value = nullptr;
};

/// The way back, from forward's weights and the gradient of the output [queries, value_dim]; `weights_gradient` [queries, keys] where
/// the loss looks at the weights too, else null. Equations in backward.hpp.
void add_rows_gradients(const ProjectedRows& rows, const float* weights, const float* output_gradient,
                        const float* weights_gradient, const ProjectedRowsGradients& to);

}  // namespace attention::additive
