#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ladder/climber.hpp"
#include "ladder/mechanism.hpp"
#include "program/command_line.hpp"
#include "training/sitting.hpp"

namespace attention::ladder {

/// What a chapter's experiments are given.
struct ChapterRun {
  const Results& results;
  machine::Roofs& roofs;
  Climber& climber;
  int threads;
  bool quick;
  std::vector<Figure>& figures;  ///< the summary; an experiment adds its own
  const training::WeightFolders& trained;

  /// Adds a figure to the summary. `unit` is "1" for shares and rates.
  void figure(std::string name, double value, std::string unit, std::string meaning) const {
    figures.push_back({std::move(name), value, std::move(unit), std::move(meaning)});
  }
};

/// One chapter's program.
struct ChapterProgram {
  std::string folder;   ///< chapters/NN_name: the name of the program and of its results
  std::string summary;  ///< for --help
  std::vector<MechanismPtr> mechanisms;
  /// Loads the chapter's data from the folder with all data sets; gives whether it is real, not the generated stand-in.
  /// Empty: the chapter needs none.
  std::function<bool(const std::filesystem::path&)> load;
  std::function<void(const ChapterRun&)> experiments;

  std::vector<program::Option> options;  ///< of the chapter's own
  /// What these options ask for in place of the experiments, given the folders of results, of data and of weights: true where they
  /// asked and it is done. Empty: nothing.
  std::function<bool(const std::filesystem::path& results, const std::filesystem::path& data, const training::WeightFolders& trained)> instead;

  /// The models that the chapter trains, in the order in which they are trained where none is named. Empty: none.
  std::vector<training::Training> trainings;
};

/// The main of a chapter's program: `--results`, `--data`, `--threads`, `--quick`; loads, experiments, writes ladder.json,
/// scaling.json and last summary.json. With `--train`, trains the models named behind it, or all, and nothing else. Gives the exit status.
int chapter_main(int argc, char** argv, const ChapterProgram& program);

}  // namespace attention::ladder
