#include <fmt/format.h>
#include <fmt/ranges.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <type_traits>

#include "arrays.hpp"
#include "bindings.hpp"
#include "ladder/climb.hpp"
#include "ladder/registry.hpp"
#include "ladder/results.hpp"
#include "machine/affinity.hpp"
#include "machine/caches.hpp"
#include "machine/clock.hpp"
#include "numerics/statistics.hpp"
#include "program/error.hpp"
#include "program/table.hpp"

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

/// A number that was given. Throws TypeError, in words that begin with `what`, where it is none.
template <class Number>
Number number_of(const py::handle& value, const std::string& what) {
  try {
    if (PyFloat_Check(value.ptr()) || PyIndex_Check(value.ptr())) return value.cast<Number>();
  } catch (const py::cast_error&) {  // an array of several, or a fraction where a whole number is wanted
  }
  throw py::type_error(fmt::format("{} is a {}; give a {}", what, Py_TYPE(value.ptr())->tp_name, std::is_integral_v<Number> ? "whole number" : "number"));
}

/// Takes the tensors, in their order or by name, and the settings.
Call call_of(const AnyMechanism& mechanism, const py::tuple& tensors, const py::kwargs& named) {
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
      if (name == "threads") throw UserError("threads is for time and ladder; attention.use_threads(n) sets it for all else");
      if (std::ranges::find(mechanism.settings(), name, &ladder::Setting::name) == mechanism.settings().end())
        ladder::require_settings({{name, 0}}, mechanism.settings(), mechanism.name());
      settings[name] = number_of<double>(value, fmt::format("{}: {}", mechanism.name(), name));
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

std::vector<std::pair<std::string, py::array>> run(const AnyMechanism& mechanism, const std::string& rung, const py::tuple& tensors, const py::kwargs& named) {
  const Call call = call_of(mechanism, tensors, named);
  const std::size_t number = runnable(call, rung, mechanism);
  {
    const py::gil_scoped_release others_may_run;
    call.trial->run(number);
  }
  return told<float>(call, mechanism, call.trial->answer());
}

/// Takes the array's name out of what was given by name; empty where there is none.
std::string take_give(const py::kwargs& named) {
  if (!named.contains("give")) return {};
  const py::object name = named.attr("pop")("give");
  if (!py::isinstance<py::str>(name))
    throw py::type_error(fmt::format("give is a {}; give the name of one array, or call run_all for every one", Py_TYPE(name.ptr())->tp_name));
  return name.cast<std::string>();
}

template <class Number>
Number take_number(const py::kwargs& named, const char* name, Number otherwise) {
  return named.contains(name) ? number_of<Number>(named.attr("pop")(name), name) : otherwise;
}

/// What was given to `method`: a rung's name, in front or by name, and the tensors.
struct RungAndTensors {
  std::string rung;
  py::tuple tensors;
};

RungAndTensors take_rung(const AnyMechanism& mechanism, const char* method, const py::args& given, const py::kwargs& named) {
  const bool by_name = named.contains("rung");
  py::object rung = by_name ? py::object(named.attr("pop")("rung")) : given.empty() ? py::object(py::none()) : py::object(given[0]);
  if (!py::isinstance<py::str>(rung)) {
    std::vector<std::string> names;
    for (const ladder::RungInfo& each : mechanism.rungs()) names.push_back(each.name);
    throw py::type_error(fmt::format("{0} wants a rung first, by its name: {1}.{0}('{2}', {3}); its rungs are {4}", method, mechanism.name(), names.front(),
                                     fmt::join(mechanism.tensor_names(), ", "), fmt::join(names, ", ")));
  }
  return {rung.cast<std::string>(), by_name ? py::tuple(given) : py::tuple(given[py::slice(1, static_cast<py::ssize_t>(given.size()), 1)])};
}

/// The rungs that `rungs=` names: one, or several.
std::vector<std::string> take_rungs(const py::kwargs& named) {
  if (!named.contains("rungs")) return {};
  const py::object rungs = named.attr("pop")("rungs");
  if (py::isinstance<py::str>(rungs)) return {rungs.cast<std::string>()};
  try {
    return rungs.cast<std::vector<std::string>>();
  } catch (const py::cast_error&) {
    throw py::type_error(fmt::format("rungs is a {}; give a list of names", Py_TYPE(rungs.ptr())->tp_name));
  }
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
  const std::vector<std::string> asked = take_rungs(named);
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
  return py::module_::import("attention").attr("Ladder")(py::module_::import("json").attr("loads")(found));
}

/// The rows of a ladder as a table.
std::string ladder_text(const py::list& rows) {
  program::Table table({{"rung"}, {"threads"}, {"time"}, {"over last"}, {"share of roof"}, {"error"}, {"allowed"}, {"idea"}});
  for (const py::handle& row : rows) {
    const auto text = [&](const char* key) { return row[key].cast<std::string>(); };
    const auto number = [&](const char* key) { return row[key].cast<double>(); };
    if (text("status") == "skipped") {
      table.add({text("rung"), "", "not run", "", "", "", "", text("reason")});
      continue;
    }
    const bool first = row["speedup_previous"].is_none();
    table.add({text("rung"), std::to_string(row["threads"].cast<int>()), ladder::format_seconds(number("median_s")),
               first ? "" : fmt::format("{:.3g}×{}", number("speedup_previous"), row["within_noise"].cast<bool>() ? " ~" : ""),
               fmt::format("{:.1f} % {}", 100 * number("roof_share"), text("roof_kind")), fmt::format("{:.1e}", number("max_error")),
               fmt::format("{:.1e}", number("error_bound")), text("idea")});
  }
  return table.text();
}

/// The class of what ladder() gives: a list that shows itself as a table.
py::object ladder_class() {
  py::dict members;
  members["__doc__"] = "A list of dicts, one a rung, with the keys of ladder.json. Printed, it is a table: ~ is a gain inside the noise.";
  members["__module__"] = "attention";
  const py::handle list(reinterpret_cast<PyObject*>(&PyList_Type));
  py::object made = py::handle(reinterpret_cast<PyObject*>(&PyType_Type))("Ladder", py::make_tuple(list), members);
  made.attr("__repr__") = py::cpp_function([](const py::list& self) { return ladder_text(self); }, py::name("__repr__"), py::is_method(made));
  return made;
}

/// What a shape like "queries=10,causal=1" sets beside its sizes.
void add_settings(const AnyMechanism& mechanism, const ladder::Shape& sizes, py::dict& to) {
  for (const ladder::ShapeKey& key : mechanism.keys())
    if (std::ranges::count(mechanism.settings(), key.name, &ladder::Setting::name) > 0 && sizes[key.name] != key.default_value)
      to[py::str(key.name)] = sizes[key.name];
}

py::dict make(const AnyMechanism& mechanism, const std::string& shape, std::uint64_t seed) {
  const ladder::Shape sizes = ladder::parse_shape(shape, mechanism.keys());
  if (mechanism.footprint(sizes) > 0.4 * static_cast<double>(machine::memory().available_bytes))
    throw UserError(fmt::format("{} needs {}; choose a smaller shape", sizes.text(), ladder::format_bytes(mechanism.footprint(sizes))));
  const std::shared_ptr<ladder::Trial> trial = mechanism.make(sizes, seed, ladder::Hardness::plain);
  py::dict arrays;
  for (const ladder::NamedTensor& tensor : trial->tensors()) arrays[py::str(tensor.name)] = over(tensor.values.data(), tensor.shape, trial);
  add_settings(mechanism, sizes, arrays);
  return arrays;
}

std::string described(const AnyMechanism& mechanism) {
  std::string text = fmt::format("attention.{}: {} ({})\n\nTensors: {}\nRungs:\n", mechanism.name(), mechanism.title(), mechanism.citation(), fmt::join(mechanism.tensor_names(), ", "));
  std::size_t width = 12;
  for (const ladder::RungInfo& rung : mechanism.rungs()) width = std::max(width, rung.name.size());
  for (const ladder::RungInfo& rung : mechanism.rungs()) text += fmt::format("    {:<{}} {}\n", rung.name, width, rung.idea);
  if (!mechanism.settings().empty()) text += "Settings:\n";
  for (const ladder::Setting& setting : mechanism.settings())
    text += fmt::format("    {:<{}} {} (else {})\n", setting.name, width, setting.meaning, setting.otherwise);
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
      .def("__str__", &described)
      .def("__repr__", [](const AnyMechanism& self) {
        return fmt::format("<attention.{}: {}; print() shows its tensors, rungs and settings>", self.name(), self.title());
      });

  mechanism
      .def("run", [](const AnyMechanism& self, const py::args& given, const py::kwargs& named) {
        const auto [rung, tensors] = take_rung(self, "run", given, named);
        const std::string give = take_give(named);
        return choose(run(self, rung, tensors, named), give, rung);
      }, "run(rung, *tensors, give='', **settings): the rung's answer, or the array of it that `give` names (run_all shows which there are).")
      .def("run_all", [](const AnyMechanism& self, const py::args& given, const py::kwargs& named) {
        const auto [rung, tensors] = take_rung(self, "run_all", given, named);
        py::dict all;
        for (const auto& [name, array] : run(self, rung, tensors, named)) all[py::str(name)] = array;
        return all;
      }, "run_all(rung, *tensors, **settings): every array that the rung gives, by name.")
      .def("reference", [](const AnyMechanism& self, const py::args& tensors, const py::kwargs& named) {
        const std::string give = take_give(named);
        const Call call = call_of(self, tensors, named);
        std::vector<ladder::ReferenceField> fields;
        {
          const py::gil_scoped_release others_may_run;
          fields = call.trial->reference();
        }
        return choose(told<double>(call, self, fields), give, "the reference");
      }, "reference(*tensors, give='', **settings): the formula in float64, in plain loops.")
      .def("check", [](const AnyMechanism& self, const py::args& given, const py::kwargs& named) {
        const auto [rung, tensors] = take_rung(self, "check", given, named);
        const Call call = call_of(self, tensors, named);
        const std::size_t number = runnable(call, rung, self);
        const py::gil_scoped_release others_may_run;
        call.trial->run(number);
        return call.trial->check(number, {});
      }, "check(rung, *tensors, **settings): the rung's answer against the float64 reference.")
      .def("time", [](const AnyMechanism& self, const py::args& given, const py::kwargs& named) {
        const auto [rung, tensors] = take_rung(self, "time", given, named);
        const auto seconds = take_number(named, "seconds", 0.2);
        const auto threads = take_number(named, "threads", machine::available_cpus());
        const Call call = call_of(self, tensors, named);
        const std::size_t number = runnable(call, rung, self);
        const py::gil_scoped_release others_may_run;
        const Measuring scope(threads);
        return numerics::median(times_of(*call.trial, number, seconds));
      }, "time(rung, *tensors, seconds=0.2, threads=all CPUs, **settings): seconds of one run, the median of runs that take `seconds` in all, five at least.")
      .def("ladder", &ladder_of, "ladder(*tensors, rungs=all but libraries, seconds=0.1, threads=all CPUs, **settings): every rung checked and timed for `seconds`, in turn "
                                 "with the others: a list of dicts with the keys of ladder.json, which prints as a table. The first call measures the "
                                 "machine's roofs, too, which takes a second or more.")
      .def("make", &make, py::arg("shape") = "", py::arg("seed") = 1,
           "Random tensors of a shape like 'heads=8,queries=2048', by name, with the settings that it names: run('fused', **make(...)).");
  m.attr("Ladder") = ladder_class();

  py::list names;
  for (const ladder::MechanismPtr& each : ladder::all_mechanisms()) {
    m.attr(each->name().c_str()) = std::const_pointer_cast<AnyMechanism>(each);  // Python knows no const
    names.append(each->name());
  }
  m.attr("mechanisms") = py::tuple(names);
}

}  // namespace attention::module
