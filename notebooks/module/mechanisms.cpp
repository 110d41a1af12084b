#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"
#include "ladder/climb.hpp"
#include "ladder/results.hpp"
#include "ladder/registry.hpp"
#include "machine/affinity.hpp"
#include "machine/caches.hpp"
#include "machine/clock.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"

namespace attention::module {

namespace {

using ladder::AnyMechanism;
using program::UserError;

/// A problem made of the caller's arrays, which it keeps alive.
struct Call {
  std::shared_ptr<ladder::Trial> trial;
  std::vector<GivenArray> arrays;
  std::size_t added_axes = 0;  ///< in front of the first tensor: answers lose them again
};

/// Takes the tensors, in their order or by name, and the settings.
Call call_of(const AnyMechanism& mechanism, const py::args& tensors, const py::kwargs& named) {
  const std::vector<std::string>& names = mechanism.tensor_names();
  if (tensors.size() > names.size())
    throw py::type_error(fmt::format("{} takes {} tensors ({}), {} were given", mechanism.name(), names.size(), fmt::join(names, ", "), tensors.size()));
  std::vector<py::object> objects(names.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) objects[i] = tensors[i];
  std::map<std::string, double> settings;
  for (const auto& [key, value] : named) {
    const auto name = key.cast<std::string>();
    const auto place = std::ranges::find(names, name);
    if (place == names.end()) {
      // What is no number is told by the setting's name too.
      if (!PyFloat_Check(value.ptr()) && !PyLong_Check(value.ptr()) && !PyIndex_Check(value.ptr()))
        throw py::type_error(fmt::format("{}: {} is a {}; give a number", mechanism.name(), name, Py_TYPE(value.ptr())->tp_name));
      settings[name] = value.cast<double>();
      continue;
    }
    py::object& object = objects[static_cast<std::size_t>(place - names.begin())];
    if (object) throw py::type_error(fmt::format("{}: {} was given twice", mechanism.name(), name));
    object = py::reinterpret_borrow<py::object>(value);
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!objects[i]) missing.push_back(names[i]);
  if (!missing.empty()) throw py::type_error(fmt::format("{} takes {}; {} missing", mechanism.name(), fmt::join(names, ", "), fmt::join(missing, ", ")));

  Call call;
  std::vector<ladder::InputSource> sources;
  for (std::size_t i = 0; i < names.size(); ++i) {
    call.arrays.push_back(given_array(names[i], objects[i]));
    sources.emplace_back(call.arrays.back().lent);
  }
  call.trial = mechanism.from_inputs(sources, settings);
  call.added_axes = call.trial->tensors().at(0).shape.size() - call.arrays[0].lent.shape.size();
  return call;
}

void require_room(const Call& call, std::size_t rung, const AnyMechanism& mechanism) {
  const double needed = static_cast<double>(call.trial->workspace(rung));
  const double free = static_cast<double>(machine::memory().available_bytes);
  if (needed > 0.9 * free) {
    PyErr_SetString(PyExc_MemoryError, fmt::format("{} needs {} beside its input, {} are free", mechanism.rungs()[rung].name,
                                                   ladder::format_bytes(needed), ladder::format_bytes(free)).c_str());
    throw py::error_already_set();
  }
}

std::size_t runnable(const Call& call, const std::string& rung, const AnyMechanism& mechanism) {
  const std::size_t number = mechanism.rung_index(rung);
  if (const std::string reason = call.trial->unable(number); !reason.empty()) throw UserError(fmt::format("{}: {}", rung, reason));
  require_room(call, number, mechanism);
  return number;
}

/// An answer's shape as the caller sees it: a gradient has that of its tensor, all else loses the axes that were put in front.
std::vector<std::size_t> told_shape(const Call& call, const AnyMechanism& mechanism, const std::string& field, std::vector<std::size_t> shape) {
  const std::vector<std::string>& names = mechanism.tensor_names();
  for (std::size_t i = 0; i < names.size(); ++i)
    if (field == names[i] + "_gradient") return call.arrays[i].lent.shape;
  std::size_t ones = 0;
  while (ones < call.added_axes && ones < shape.size() && shape[ones] == 1) ++ones;
  shape.erase(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(ones));
  return shape;
}

/// The arrays that there are, the principal one first, as Python sees them.
template <class Real, class Fields>
std::vector<std::pair<std::string, py::array>> told(const Call& call, const AnyMechanism& mechanism, const Fields& fields) {
  std::vector<std::pair<std::string, py::array>> arrays;
  for (const auto& field : fields)
    if (!field.values.empty())
      arrays.emplace_back(field.name, over<Real>(field.values.data(), told_shape(call, mechanism, field.name, field.shape), call.trial));
  return arrays;
}

py::array choose(const std::vector<std::pair<std::string, py::array>>& arrays, const std::string& give, const std::string& who) {
  if (give.empty()) return arrays.at(0).second;
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) {
    if (name == give) return array;
    names.push_back(name);
  }
  throw UserError(fmt::format("{} gives no '{}'; it gives {}", who, give, fmt::join(names, ", ")));
}

std::vector<std::pair<std::string, py::array>> run(const AnyMechanism& mechanism, const std::string& rung, const py::args& tensors, const py::kwargs& named) {
  const Call call = call_of(mechanism, tensors, named);
  const std::size_t number = runnable(call, rung, mechanism);
  {
    const py::gil_scoped_release others_may_run;
    call.trial->run(number);
  }
  return told<float>(call, mechanism, call.trial->answer());
}

std::string take_text(const py::kwargs& named, const char* name) { return named.contains(name) ? named.attr("pop")(name).cast<std::string>() : std::string(); }
template <class Number>
Number take_number(const py::kwargs& named, const char* name, Number otherwise) {
  return named.contains(name) ? named.attr("pop")(name).cast<Number>() : otherwise;
}

/// So many threads, pinned, while something is measured; the caller's thread may wander again afterwards.
class Measuring {
 public:
  explicit Measuring(int threads) : scope_(std::in_place, threads) {}
  ~Measuring() {
    scope_.reset();
    machine::unpin_this_thread();
  }
  Measuring(const Measuring&) = delete;
  Measuring& operator=(const Measuring&) = delete;

 private:
  std::optional<machine::ThreadScope> scope_;
};

/// Seconds of each run: as many as fit into the time, five at least, after one that is not counted.
std::vector<double> times_of(ladder::Trial& trial, std::size_t rung, double seconds) {
  trial.run(rung);
  std::vector<double> times;
  for (double total = 0; times.size() < 5 || total < seconds; total += times.back()) {
    const double begin = machine::now_seconds();
    trial.run(rung);
    times.push_back(machine::now_seconds() - begin);
  }
  return times;
}

py::object ladder_of(const AnyMechanism& mechanism, const py::args& tensors, const py::kwargs& named) {
  ladder::ClimbOptions options;
  options.seconds = take_number(named, "seconds", 0.1);
  options.threads = {take_number(named, "threads", machine::available_cpus())};
  const auto asked = named.contains("rungs") ? named.attr("pop")("rungs").cast<std::vector<std::string>>() : std::vector<std::string>();
  const Call call = call_of(mechanism, tensors, named);
  for (const std::string& rung : asked) options.rungs.push_back(mechanism.rung_index(rung));
  // A library's kernels are steered by the environment that Python was started with: ./course bench holds them against ours.
  for (std::size_t i = 0; asked.empty() && i < mechanism.rungs().size(); ++i)
    if (!mechanism.rungs()[i].beside) options.rungs.push_back(i);
  std::string found;
  {
    const py::gil_scoped_release others_may_run;
    static machine::Roofs roofs;
    const Measuring scope(options.threads[0]);
    found = ladder::to_json(ladder::climb(mechanism, *call.trial, options, roofs)).dump();
  }
  return py::module_::import("json").attr("loads")(found);
}

py::dict make(const AnyMechanism& mechanism, const std::string& shape, std::uint64_t seed) {
  const ladder::Shape sizes = ladder::parse_shape(shape, mechanism.keys());
  if (mechanism.footprint(sizes) > 0.4 * static_cast<double>(machine::memory().available_bytes))
    throw UserError(fmt::format("{} needs {}; choose a smaller shape", sizes.text(), ladder::format_bytes(mechanism.footprint(sizes))));
  const std::shared_ptr<ladder::Trial> trial = mechanism.make(sizes, seed, ladder::Hardness::plain);
  py::dict arrays;
  for (const ladder::NamedTensor& tensor : trial->tensors()) arrays[py::str(tensor.name)] = over(tensor.values.data(), tensor.shape, trial);
  return arrays;
}

std::string described(const AnyMechanism& mechanism) {
  std::string text = fmt::format("attention.{}: {} ({})\n\nTensors: {}\nRungs:\n", mechanism.name(), mechanism.title(), mechanism.citation(), fmt::join(mechanism.tensor_names(), ", "));
  for (const ladder::RungInfo& rung : mechanism.rungs()) text += fmt::format("    {:<12} {}\n", rung.name, rung.idea);
  if (!mechanism.settings().empty()) text += "Settings:\n";
  for (const ladder::Setting& setting : mechanism.settings())
    text += fmt::format("    {:<12} {} (else {})\n", setting.name, setting.meaning, setting.otherwise);
  return text;
}

}  // namespace

void bind_mechanisms(py::module_& m) {
  py::class_<ladder::CheckResult>(m, "Check", "How an answer compares with the float64 reference.")
      .def_readonly("passed", &ladder::CheckResult::passed, "whether the error is within what rounding explains")
      .def_readonly("max_error", &ladder::CheckResult::max_error, "largest difference, relative to the largest value")
      .def_readonly("bound", &ladder::CheckResult::bound, "what rounding explains, likewise")
      .def_readonly("fault", &ladder::CheckResult::fault, "one line where it failed")
      .def("__bool__", [](const ladder::CheckResult& c) { return c.passed; })
      .def("__repr__", [](const ladder::CheckResult& c) {
        return c.passed ? fmt::format("<passed: error {:.2g}, {:.2g} allowed>", c.max_error, c.bound) : fmt::format("<failed: {}>", c.fault);
      });

  py::class_<AnyMechanism, std::shared_ptr<AnyMechanism>> mechanism(
      m, "Mechanism",
      "A formula and its ladder. Tensors are float32 arrays, in the order of `tensors` or by name; leading axes of size 1 may be left\n"
      "out, and are then left out of the answers. An array whose elements stand row by row is read where it lies; another is copied.\n"
      "`settings` are given by name. Raises TypeError for another dtype, ValueError for sizes that do not agree.");
  mechanism.def_property_readonly("name", &AnyMechanism::name, "as in attention.NAME")
      .def_property_readonly("title", &AnyMechanism::title, "as a heading")
      .def_property_readonly("citation", &AnyMechanism::citation, "paper and equation")
      .def_property_readonly("chapter", &AnyMechanism::chapter, "the chapter's folder")
      .def_property_readonly("tensors", &AnyMechanism::tensor_names, "their names, in order")
      .def_property_readonly("rungs", [](const AnyMechanism& self) {
        std::vector<std::string> names;
        for (const ladder::RungInfo& rung : self.rungs()) names.push_back(rung.name);
        return names;
      }, "names, from the formula up; variants and libraries after them")
      .def_property_readonly("ideas", [](const AnyMechanism& self) {
        std::map<std::string, std::string> ideas;
        for (const ladder::RungInfo& rung : self.rungs()) ideas[rung.name] = rung.idea;
        return ideas;
      }, "what changed, for each rung")
      .def_property_readonly("settings", [](const AnyMechanism& self) {
        std::map<std::string, std::string> settings;
        for (const ladder::Setting& setting : self.settings()) settings[setting.name] = fmt::format("{} (else {})", setting.meaning, setting.otherwise);
        return settings;
      }, "what may be set by name, and what it means")
      .def("__repr__", &described);

  mechanism
      .def("run", [](const AnyMechanism& self, const std::string& rung, const py::args& tensors, const py::kwargs& named) {
        const std::string give = take_text(named, "give");
        return choose(run(self, rung, tensors, named), give, rung);
      }, "run(rung, *tensors, give='', **settings): the rung's answer, or the array of it that `give` names.")
      .def("run_all", [](const AnyMechanism& self, const std::string& rung, const py::args& tensors, const py::kwargs& named) {
        py::dict all;
        for (const auto& [name, array] : run(self, rung, tensors, named)) all[py::str(name)] = array;
        return all;
      }, "run_all(rung, *tensors, **settings): every array that the rung gives, by name.")
      .def("reference", [](const AnyMechanism& self, const py::args& tensors, const py::kwargs& named) {
        const std::string give = take_text(named, "give");
        const Call call = call_of(self, tensors, named);
        std::vector<ladder::ReferenceField> fields;
        {
          const py::gil_scoped_release others_may_run;
          fields = call.trial->reference();
        }
        return choose(told<double>(call, self, fields), give, "the reference");
      }, "reference(*tensors, give='', **settings): the formula in float64, in plain loops.")
      .def("check", [](const AnyMechanism& self, const std::string& rung, const py::args& tensors, const py::kwargs& named) {
        const Call call = call_of(self, tensors, named);
        const std::size_t number = runnable(call, rung, self);
        const py::gil_scoped_release others_may_run;
        call.trial->run(number);
        return call.trial->check(number, {});
      }, "check(rung, *tensors, **settings): the rung's answer against the float64 reference.")
      .def("time", [](const AnyMechanism& self, const std::string& rung, const py::args& tensors, const py::kwargs& named) {
        const auto seconds = take_number(named, "seconds", 0.2);
        const auto threads = take_number(named, "threads", machine::available_cpus());
        const Call call = call_of(self, tensors, named);
        const std::size_t number = runnable(call, rung, self);
        const py::gil_scoped_release others_may_run;
        const Measuring scope(threads);
        return numerics::median(times_of(*call.trial, number, seconds));
      }, "time(rung, *tensors, seconds=0.2, threads=all CPUs, **settings): seconds of one run, the median of runs that take `seconds` in all, five at least.")
      .def("ladder", &ladder_of, "ladder(*tensors, rungs=ours, seconds=0.1, threads=all CPUs, **settings): every rung checked and timed, in turn with the others: a list "
                                 "of dicts with the keys of ladder.json.")
      .def("make", &make, py::arg("shape") = "", py::arg("seed") = 1,
           "Random tensors of a shape like 'heads=8,queries=2048', by name: run('fused', **make(...)).");

  py::list names;
  for (const ladder::MechanismPtr& each : ladder::all_mechanisms()) {
    m.attr(each->name().c_str()) = std::const_pointer_cast<AnyMechanism>(each);  // Python knows no const
    names.append(each->name());
  }
  m.attr("mechanisms") = py::tuple(names);
}

}  // namespace attention::module
