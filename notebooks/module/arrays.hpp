#pragma once

#include <pybind11/numpy.h>

#include <memory>
#include <string>
#include <vector>

#include "ladder/mechanism.hpp"

/// NumPy's arrays as the ladders take and give them.
namespace attention::module {

namespace py = pybind11;

/// One tensor of the caller's: what the ladder reads, and what keeps it alive.
struct GivenArray {
  ladder::LentArray lent;
  py::object owner;
};

/// A NumPy array of float32 is lent as it is where its elements stand row by row, and copied into that order where they do not. Throws
/// TypeError for what is no array or has another dtype: nothing is rounded unasked.
GivenArray given_array(const std::string& name, const py::handle& object);

/// A NumPy array over memory that `owner` keeps; no copy.
template <class Real>
py::array over(const Real* values, const std::vector<std::size_t>& shape, std::shared_ptr<const void> owner) {
  const py::capsule capsule(new std::shared_ptr<const void>(std::move(owner)),
                            [](void* held) { delete static_cast<std::shared_ptr<const void>*>(held); });
  return py::array(py::dtype::of<Real>(), shape, values, capsule);
}

/// A NumPy array with a copy of these numbers.
py::array_t<float> copy_of(const std::vector<float>& values, std::vector<std::size_t> shape);

}  // namespace attention::module
