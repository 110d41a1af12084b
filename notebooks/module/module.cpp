// The Python module: import attention.
#include <omp.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings.hpp"
#include "machine/affinity.hpp"
#include "machine/description.hpp"
#include "program/error.hpp"

namespace py = pybind11;
using namespace attention;

PYBIND11_MODULE(attention, m) {
  m.doc() =
      "The course's attention mechanisms, rung by rung, on NumPy arrays.\n\n"
      "    import attention, numpy\n"
      "    q, k, v = numpy.random.default_rng(1).standard_normal((3, 512, 64), dtype=numpy.float32)\n"
      "    attention.dot_product.run('fused', q, k, v, causal=True)      # [512, 64]\n"
      "    attention.dot_product.run('loops', q, k, v, give='weights')   # [512, 512]\n"
      "    attention.dot_product.reference(q, k, v)                      # float64\n"
      "    attention.dot_product.ladder(q, k, v)                         # every rung's time, roof and error\n\n"
      "attention.mechanisms names all of them, and print(attention.dot_product) says which tensors, rungs and settings one has.\n"
      "attention.models has what was trained. The kernels are compiled for this machine.";

  static py::exception<program::CheckFailed> check_failed(m, "CheckFailed", PyExc_RuntimeError);
  check_failed.doc() = "An answer was wrong, or a figure stood above the machine's roof.";
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const program::UserError& error) {
      PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const program::CheckFailed& error) {
      check_failed(error.what());
    } catch (const std::bad_alloc&) {
      PyErr_SetString(PyExc_MemoryError, "not enough memory; choose a smaller problem");
    }
  });

  m.def("use_threads", &machine::use_threads, py::arg("threads"),
        "From now on the kernels run on so many threads, each pinned to a CPU of its own; the calling thread is the first of them.");
  m.def("threads", [] { return omp_get_max_threads(); }, "How many threads the kernels run on.");
  m.def(
      "machine", [] { return py::module_::import("json").attr("loads")(machine::describe().dump()); },
      "What machine this is, and with which compiler the kernels were built: a dict as in the result files.");

  module::bind_mechanisms(m);
  module::bind_models(m);
}
