#include "autograd/arranging.hpp"

#include <algorithm>

#include "autograd/arithmetic.hpp"
#include "autograd/axis.hpp"
#include "autograd/product.hpp"

namespace attention::autograd {

namespace {

/// place(i) for the elements of an array in another order of its axes: element i of the result is element place(i) of x.
template <class F>
void for_permuted(const Shape& shape, const std::vector<std::size_t>& order, F f) {
  std::vector<Index> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * static_cast<Index>(shape[axis]);
  std::vector<std::size_t> at(shape.size(), 0);
  Index all = 1, place = 0;
  for (const std::size_t n : shape) all *= static_cast<Index>(n);
  for (Index i = 0; i < all; ++i) {
    f(i, place);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      const Index stride = strides[order[axis]];
      place += stride;
      if (++at[axis] < shape[order[axis]]) break;
      place -= stride * static_cast<Index>(at[axis]);
      at[axis] = 0;
    }
  }
}

}  // namespace

template <class Real>
Variable<Real> reshape(const Variable<Real>& x, const Shape& shape) {
  ArrayOf<Real> result = tensor::empty_array<Real>(shape);
  if (static_cast<Index>(result.size()) != x.size())
    throw std::invalid_argument(fmt::format("{} cannot take the shape {}", as_text(x.shape()), as_text(shape)));
  std::copy_n(x.data(), x.size(), result.data());
  return x.tape().record(std::move(result), {x},
                         [x](const ArrayOf<Real>&, ArrayOf<Real>& gradient) { add(gradient.data(), x.size(), x.gradient()); });
}

template <class Real>
Variable<Real> permute(const Variable<Real>& x, const std::vector<std::size_t>& order) {
  const Shape shape = x.shape();
  std::vector<std::size_t> sorted = order;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < std::max(sorted.size(), shape.size()); ++i)
    if (sorted.size() != shape.size() || sorted[i] != i)
      throw std::invalid_argument(fmt::format("[{}] is no order of the axes of {}", fmt::join(order, ", "), as_text(shape)));
  Shape to;
  for (const std::size_t axis : order) to.push_back(shape[axis]);
  ArrayOf<Real> result = tensor::empty_array<Real>(to);
  for_permuted(shape, order, [&](Index i, Index place) { result.data()[i] = x.data()[place]; });
  return x.tape().record(std::move(result), {x}, [x, shape, order](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = x.gradient();
    for_permuted(shape, order, [&](Index i, Index place) { into[place] += gradient.data()[i]; });
  });
}

template <class Real>
Variable<Real> concatenate(const std::vector<Variable<Real>>& parts, Index axis_number) {
  if (parts.empty()) throw std::invalid_argument("nothing to concatenate");
  Shape shape = parts[0].shape();
  const std::size_t place = Axis(shape, axis_number).place;
  for (std::size_t p = 1; p < parts.size(); ++p) {
    Shape other = parts[p].shape();
    if (other.size() != shape.size()) throw std::invalid_argument(fmt::format("{} and {} cannot be concatenated", as_text(shape), as_text(other)));
    const std::size_t length = other[place];
    other[place] = shape[place];
    if (other != shape)
      throw std::invalid_argument(fmt::format("{} and {} cannot be concatenated along axis {}", as_text(shape), as_text(parts[p].shape()), axis_number));
    shape[place] += length;
  }
  ArrayOf<Real> result = tensor::empty_array<Real>(shape);
  const Axis all(shape, static_cast<Index>(place));
  Index first = 0;
  for (const Variable<Real>& part : parts) {
    const Index length = part.extent(static_cast<Index>(place)) * all.after;
    for (Index b = 0; b < all.before; ++b) std::copy_n(part.data() + b * length, length, result.data() + b * all.length * all.after + first);
    first += length;
  }
  return parts[0].tape().record(std::move(result), std::span(parts), [parts, all, place](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Index from = 0;
    for (const Variable<Real>& part : parts) {
      const Index length = part.extent(static_cast<Index>(place)) * all.after;
      if (part.needs_gradient())
        for (Index b = 0; b < all.before; ++b) add(gradient.data() + b * all.length * all.after + from, length, part.gradient() + b * length);
      from += length;
    }
  });
}

template <class Real>
Variable<Real> stack(const std::vector<Variable<Real>>& parts) {
  if (parts.empty()) throw std::invalid_argument("nothing to stack");
  Shape shape = parts[0].shape();
  const Index length = parts[0].size();
  for (const Variable<Real>& part : parts)
    if (part.shape() != shape) throw std::invalid_argument(fmt::format("{} and {} cannot be stacked", as_text(shape), as_text(part.shape())));
  shape.insert(shape.begin(), parts.size());
  ArrayOf<Real> result = tensor::empty_array<Real>(shape);
  Real* to = result.data();
  for (const Variable<Real>& part : parts) to = std::copy_n(part.data(), length, to);
  return parts[0].tape().record(std::move(result), std::span(parts), [parts, length](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    for (std::size_t p = 0; p < parts.size(); ++p)
      if (parts[p].needs_gradient()) add(gradient.data() + static_cast<Index>(p) * length, length, parts[p].gradient());
  });
}

template <class Real>
Variable<Real> slice(const Variable<Real>& x, Index axis_number, Index first, Index last) {
  const Axis axis(x.shape(), axis_number);
  if (first < 0 || last < first || last > axis.length)
    throw std::invalid_argument(fmt::format("{} has no elements {} to {} along axis {}", as_text(x.shape()), first, last, axis_number));
  Shape shape = x.shape();
  shape[axis.place] = static_cast<std::size_t>(last - first);
  ArrayOf<Real> result = tensor::empty_array<Real>(shape);
  const Index count = (last - first) * axis.after, row = axis.length * axis.after, start = first * axis.after;
  for (Index b = 0; b < axis.before; ++b) std::copy_n(x.data() + b * row + start, count, result.data() + b * count);
  return x.tape().record(std::move(result), {x}, [=](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = x.gradient();
    for (Index b = 0; b < axis.before; ++b) add(gradient.data() + b * count, count, into + b * row + start);
  });
}

template <class Real>
Variable<Real> gather(const Variable<Real>& table, const std::vector<Index>& numbers) {
  const Axis axis(table.shape(), 0);
  Shape shape = table.shape();
  shape[0] = numbers.size();
  ArrayOf<Real> result = tensor::empty_array<Real>(shape);
  Real* to = result.data();
  for (const Index number : numbers) {
    if (number < 0 || number >= axis.length) throw std::out_of_range(fmt::format("row {} of a table of {}", number, axis.length));
    to = std::copy_n(table.data() + number * axis.after, axis.after, to);
  }
  return table.tape().record(std::move(result), {table}, [table, numbers, axis](const ArrayOf<Real>&, ArrayOf<Real>& gradient) {
    Real* into = table.gradient();
    for (std::size_t i = 0; i < numbers.size(); ++i) add(gradient.data() + static_cast<Index>(i) * axis.after, axis.after, into + numbers[i] * axis.after);
  });
}

#define ATTENTION_DEFINE(Real)                                                        \
  template Variable<Real> reshape(const Variable<Real>&, const Shape&);               \
  template Variable<Real> permute(const Variable<Real>&, const std::vector<std::size_t>&); \
  template Variable<Real> concatenate(const std::vector<Variable<Real>>&, Index);     \
  template Variable<Real> stack(const std::vector<Variable<Real>>&);                  \
  template Variable<Real> slice(const Variable<Real>&, Index, Index, Index);          \
  template Variable<Real> gather(const Variable<Real>&, const std::vector<Index>&);
ATTENTION_DEFINE(float)
ATTENTION_DEFINE(double)
#undef ATTENTION_DEFINE

}  // namespace attention::autograd
