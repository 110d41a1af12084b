#include "ladder/awkward_shapes.hpp"

#include <algorithm>
#include <optional>

#include "numerics/random.hpp"
#include "program/error.hpp"

namespace attention::ladder {

namespace {

/// The work of a case; none where the mechanism does not take these sizes together (one may have to divide another). A
/// slow rung's exponential takes as long as some twenty additions.
std::optional<double> work_of(const AnyMechanism& mechanism, const Shape& shape) {
  try {
    const Cost cost = mechanism.make(shape, 1, Hardness::plain)->cost();
    return cost.flops + 20 * cost.exps;
  } catch (const program::UserError&) {
    return std::nullopt;
  }
}

std::vector<Index> sizes_of(const AnyMechanism& mechanism, const ShapeKey& key,
                            const std::vector<std::pair<std::string, Index>>& fixed) {
  for (const auto& [name, value] : fixed)
    if (name == key.name) return {value};
  if (!key.awkward.empty()) return key.awkward;
  std::vector<Index> sizes{1, 3, 7, 16, 17, 31, 32, 33, 61, 127, 257};
  for (const Index tile : mechanism.tile_edges())
    for (const Index n : {tile - 1, tile, tile + 1}) sizes.push_back(std::max<Index>(n, 1));
  return sizes;
}

}  // namespace

std::vector<Shape> awkward_shapes(const AnyMechanism& mechanism, double most_flops, int choices,
                                  const std::vector<std::pair<std::string, Index>>& fixed) {
  const auto is_fixed = [&](const std::string& key) {
    return std::ranges::count(fixed, key, &std::pair<std::string, Index>::first) > 0;
  };
  std::vector<Shape> shapes;
  numerics::Random random(2);
  for (const ShapeKey& key : mechanism.keys())
    for (const Index size : sizes_of(mechanism, key, fixed))
      // This size, with random choices of the others.
      for (int choice = 0; choice < choices; ++choice) {
        std::vector<std::pair<std::string, Index>> sizes;
        for (const ShapeKey& other : mechanism.keys()) {
          const std::vector<Index> all = sizes_of(mechanism, other, fixed);
          sizes.emplace_back(other.name,
                             other.name == key.name ? size : all[static_cast<std::size_t>(random.bits() % all.size())]);
        }
        Shape shape = Shape(sizes).worded(mechanism.keys());
        std::optional<double> work = work_of(mechanism, shape);
        // Too costly: shrink the other sizes, the largest first.
        while (work && *work > most_flops) {
          std::string largest;
          for (const auto& [name, value] : shape.values())
            if (name != key.name && !is_fixed(name) && value > 1 && (largest.empty() || value > shape[largest]))
              largest = name;
          if (largest.empty()) break;
          shape = shape.with(largest, shape[largest] / 2);
          work = work_of(mechanism, shape);
        }
        if (work && *work <= most_flops && std::ranges::count(shapes, shape) == 0) shapes.push_back(shape);
      }
  return shapes;
}

}  // namespace attention::ladder
