#pragma once

#include <pybind11/pybind11.h>

/// The parts of the Python module.
namespace attention::module {

/// attention.Mechanism, and one of them for each mechanism of the course: attention.dot_product, …
void bind_mechanisms(pybind11::module_& m);

/// attention.models: what the course has trained, and the sentence encoder that others did.
void bind_models(pybind11::module_& m);

}  // namespace attention::module
