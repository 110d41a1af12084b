#include "training/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "program/error.hpp"
#include "tensor/safetensors.hpp"

namespace attention::training {

namespace {

using tensor::SafeTensor;
using tensor::SafeTensors;

Gradients values_of(const ParameterList<float>& parameters) {
  Gradients all;
  for (const auto& p : parameters) all.push_back(p.parameter->value);
  return all;
}

void add(std::vector<SafeTensor>& tensors, const std::string& kind, const ParameterList<float>& parameters, const Gradients& arrays) {
  for (std::size_t k = 0; k < arrays.size(); ++k)
    tensors.push_back(tensor::make_safe_tensor(kind + "." + parameters[k].name, tensor::shape_of(arrays[k]), std::span(arrays[k].data(), arrays[k].size())));
}

void read(const SafeTensors& file, const std::string& name, ArrayOf<float>& into) {
  const std::vector<float> numbers = file.at(name, tensor::shape_of(into)).floats();
  std::ranges::copy(numbers, into.data());
}

/// JSON from the metadata. Throws UserError where it is none.
Json json_of(const SafeTensors& file, const std::string& key) {
  Json json = Json::parse(file.text(key), nullptr, false);
  if (json.is_discarded()) throw program::UserError(fmt::format("{}: its \"{}\" is not JSON; remove the file to begin anew", file.file, key));
  return json;
}

Trained trained_of(const Json& json) {
  Trained trained;
  trained.best = json.at("best").get<double>();
  trained.best_step = json.at("best_step").get<std::int64_t>();
  trained.steps = json.at("steps").get<std::int64_t>();
  trained.seconds = json.at("seconds").get<double>();
  for (const Json& point : json.at("curve"))
    trained.curve.push_back({point.at("step").get<std::int64_t>(), point.at("loss").get<double>(), point.at("figure").get<double>(), point.at("seconds").get<double>()});
  return trained;
}

void require_finite(const SafeTensors& file, const ParameterList<float>& parameters) {
  for (const auto& p : parameters)
    if (!std::ranges::all_of(p.parameter->value, [](float x) { return std::isfinite(x); }))
      throw program::UserError(fmt::format("{}: {} holds what is not a number", file.file, p.name));
}

}  // namespace

Json describe(const Recipe& r) {
  return {{"name", r.name},
          {"configuration", r.configuration},
          {"seed", r.seed},
          {"steps", r.steps},
          {"parts", r.parts},
          {"peak_rate", r.peak_rate},
          {"warm_up", r.warm_up},
          {"clip", r.clip},
          {"beta1", r.adam.beta1},
          {"beta2", r.adam.beta2},
          {"epsilon", r.adam.epsilon},
          {"weight_decay", r.adam.weight_decay},
          {"evaluate_every", r.evaluate_every}};
}

Json describe(const Trained& trained) {
  Json curve = Json::array();
  for (const CurvePoint& p : trained.curve) curve.push_back({{"step", p.step}, {"loss", p.loss}, {"figure", p.figure}, {"seconds", p.seconds}});
  return {{"best", trained.best}, {"best_step", trained.best_step}, {"steps", trained.steps}, {"seconds", trained.seconds}, {"curve", curve}};
}

void keep_best(State& state, const ParameterList<float>& parameters) { state.best = values_of(parameters); }

void restore_best(const State& state, const ParameterList<float>& parameters) {
  for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k].parameter->value = state.best[k];
}

void save(const std::filesystem::path& file, const Recipe& recipe, const ParameterList<float>& parameters, Adam& adam, const State& state) {
  std::vector<SafeTensor> tensors;
  add(tensors, "weights", parameters, values_of(parameters));
  add(tensors, "first_moment", parameters, adam.first_moments());
  add(tensors, "second_moment", parameters, adam.second_moments());
  add(tensors, "best", parameters, state.best);
  const Json progress = {{"loss_sum", state.loss_sum}, {"loss_count", state.loss_count}, {"trained", describe(state.trained)}};
  tensor::write_safetensors(file, tensors, {{"recipe", describe(recipe).dump()}, {"progress", progress.dump()}});
}

State resume(const std::filesystem::path& path, const Recipe& recipe, const ParameterList<float>& parameters, Adam& adam) {
  const SafeTensors file = tensor::read_safetensors(path);
  if (json_of(file, "recipe") != describe(recipe))
    throw program::UserError(fmt::format("{}: a checkpoint of another recipe; remove it to begin anew, or keep it elsewhere", file.file));
  State state;
  keep_best(state, parameters);  // for the shapes
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    read(file, "weights." + parameters[k].name, parameters[k].parameter->value);
    read(file, "first_moment." + parameters[k].name, adam.first_moments()[k]);
    read(file, "second_moment." + parameters[k].name, adam.second_moments()[k]);
    read(file, "best." + parameters[k].name, state.best[k]);
  }
  require_finite(file, parameters);
  try {
    const Json progress = json_of(file, "progress");
    state.loss_sum = progress.at("loss_sum").get<double>();
    state.loss_count = progress.at("loss_count").get<std::int64_t>();
    state.trained = trained_of(progress.at("trained"));
  } catch (const Json::exception&) {
    throw program::UserError(fmt::format("{}: its \"progress\" is not complete; remove the file to begin anew", file.file));
  }
  const std::int64_t step = state.trained.steps;
  if (step < 0 || step > recipe.steps)
    throw program::UserError(fmt::format("{}: step {} of {}; remove the file to begin anew", file.file, step, recipe.steps));
  adam.set_steps(step);
  return state;
}

void save_weights(const std::filesystem::path& file, const ParameterList<float>& parameters, const Recipe& recipe, const Trained& trained) {
  std::vector<SafeTensor> tensors;
  for (const auto& p : parameters)
    tensors.push_back(tensor::make_safe_tensor(p.name, tensor::shape_of(p.parameter->value), std::span(p.parameter->value.data(), p.parameter->value.size()), tensor::SafeDtype::F16));
  tensor::write_safetensors(file, tensors, {{"recipe", describe(recipe).dump()}, {"training", describe(trained).dump()}});
}

Json load_weights(const std::filesystem::path& path, const ParameterList<float>& parameters, const Json& configuration) {
  const SafeTensors file = tensor::read_safetensors(path);
  const Json recipe = json_of(file, "recipe");
  if (!recipe.is_object() || !recipe.contains("configuration") || recipe["configuration"] != configuration)
    throw program::UserError(fmt::format("{}: weights of another model or of other data than this; train it anew", file.file));
  if (file.tensors.size() != parameters.size())
    throw program::UserError(fmt::format("{}: {} tensors, the model has {}", file.file, file.tensors.size(), parameters.size()));
  for (const auto& p : parameters) read(file, p.name, p.parameter->value);
  require_finite(file, parameters);
  return {{"recipe", recipe}, {"training", json_of(file, "training")}};
}

}  // namespace attention::training
