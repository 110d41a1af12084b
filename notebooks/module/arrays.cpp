#include "arrays.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace attention::module {

GivenArray given_array(const std::string& name, const py::handle& object) {
  if (!py::isinstance<py::array>(object))
    throw py::type_error(fmt::format("{}: a {}; give a NumPy array of float32", name, Py_TYPE(object.ptr())->tp_name));
  auto array = py::reinterpret_borrow<py::array>(object);
  if (!py::isinstance<py::array_t<float>>(array))
    throw py::type_error(fmt::format("{}: its dtype is {}; float32 is wanted: {}.astype(numpy.float32)", name,
                                     py::str(array.dtype()).cast<std::string>(), name));
  constexpr int as_it_is = py::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  if ((array.flags() & as_it_is) != as_it_is)
    array = py::array_t<float, py::array::c_style | py::array::forcecast>::ensure(array.attr("copy")("C"));
  if (!array) throw py::error_already_set();
  GivenArray given;
  given.lent.shape.assign(array.shape(), array.shape() + array.ndim());
  given.lent.values = static_cast<const float*>(array.data());
  given.owner = std::move(array);
  return given;
}

py::array_t<float> copy_of(const std::vector<float>& values, std::vector<std::size_t> shape) {
  py::array_t<float> array(std::move(shape));
  std::ranges::copy(values, array.mutable_data());
  return array;
}

}  // namespace attention::module
