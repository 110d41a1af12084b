#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

#include "tensor/array.hpp"

namespace attention::autograd {

using tensor::Index;
using tensor::Shape;

/// How two arrays, each broadcast as in NumPy, are walked together: over runs along the last axis, in which each moves by 0 or 1.
class Broadcast {
 public:
  /// Throws std::invalid_argument, naming both shapes, where they cannot be broadcast.
  Broadcast(const Shape& a, const Shape& b) {
    const std::size_t rank = std::max({a.size(), b.size(), std::size_t{1}});
    shape_.assign(std::max(a.size(), b.size()), 1);
    lengths_.assign(rank, 1);
    a_strides_ = strides_in(a, rank);
    b_strides_ = strides_in(b, rank);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::size_t in_a = axis + a.size() < rank ? 1 : a[axis + a.size() - rank];
      const std::size_t in_b = axis + b.size() < rank ? 1 : b[axis + b.size() - rank];
      if (in_a != in_b && in_a != 1 && in_b != 1)
        throw std::invalid_argument(fmt::format("[{}] and [{}] cannot be broadcast to one shape", fmt::join(a, ", "), fmt::join(b, ", ")));
      lengths_[axis] = static_cast<Index>(in_a == 1 ? in_b : in_a);
      if (!shape_.empty()) shape_[axis] = static_cast<std::size_t>(lengths_[axis]);
    }
    // Equal shapes, and neighbouring axes along which both go on or both stand, are one run.
    for (std::size_t axis = rank - 1; axis-- > 0;) {
      const auto joined = [&](const std::vector<Index>& s) { return s[axis] == s[axis + 1] * lengths_[axis + 1]; };
      if (!joined(a_strides_) || !joined(b_strides_)) continue;
      lengths_[axis] *= lengths_[axis + 1];
      a_strides_[axis] = a_strides_[axis + 1];
      b_strides_[axis] = b_strides_[axis + 1];
      for (auto* list : {&lengths_, &a_strides_, &b_strides_}) list->erase(list->begin() + static_cast<Index>(axis) + 1);
    }
  }

  const Shape& shape() const { return shape_; }

  /// run(to, a, b, n, a_step, b_step): elements to … to + n − 1 of the result come from a, a + a_step … and from b, b + b_step …;
  /// steps are 0 or 1.
  template <class Run>
  void for_runs(Run run) const {
    const std::size_t last = lengths_.size() - 1;
    Index all = 1;
    for (const Index n : lengths_) all *= n;
    if (all == 0) return;
    std::vector<Index> at(lengths_.size(), 0);
    Index a = 0, b = 0;
    for (Index to = 0; to < all; to += lengths_[last]) {
      run(to, a, b, lengths_[last], a_strides_[last], b_strides_[last]);
      for (std::size_t axis = last; axis-- > 0;) {
        a += a_strides_[axis];
        b += b_strides_[axis];
        if (++at[axis] < lengths_[axis]) break;
        a -= a_strides_[axis] * lengths_[axis];
        b -= b_strides_[axis] * lengths_[axis];
        at[axis] = 0;
      }
    }
  }

 private:
  static std::vector<Index> strides_in(const Shape& shape, std::size_t rank) {
    std::vector<Index> strides(rank, 0);
    Index stride = 1;
    for (std::size_t back = 1; back <= shape.size(); ++back) {
      const std::size_t length = shape[shape.size() - back];
      if (length != 1) strides[rank - back] = stride;
      stride *= static_cast<Index>(length);
    }
    return strides;
  }

  Shape shape_;
  std::vector<Index> lengths_, a_strides_, b_strides_;
};

}  // namespace attention::autograd
