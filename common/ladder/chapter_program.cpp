#include "ladder/chapter_program.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>

#include "ladder/peak_memory.hpp"
#include "machine/affinity.hpp"
#include "program/command_line.hpp"
#include "program/error.hpp"
#include "program/main.hpp"

namespace attention::ladder {

namespace {

/// A training that was stopped ends as a program does that SIGINT ends.
constexpr int stopped = 130;

/// What was typed behind `--train`.
struct TrainingOptions {
  std::vector<std::string> names;
  std::string seed = "1";
  std::string publish;
  bool again = false;
  CLI::Option* train = nullptr;
};

void add(CLI::App& app, const ChapterProgram& chapter, TrainingOptions& options) {
  std::vector<std::string> known;
  for (const training::Training& t : chapter.trainings) known.push_back(fmt::format("{} ({})", t.name, t.about));
  options.train = app.add_option("--train", options.names, fmt::format("train these models, or all, and run nothing else: {}", fmt::join(known, ", ")))->expected(0, -1);
  app.add_option("--seed", options.seed, "seed of the training")->needs(options.train)->capture_default_str();
  app.add_flag("--again", options.again, "train from the first step, though a checkpoint is there")->needs(options.train);
  app.add_option("--publish", options.publish, "put weights and record into this folder, too")->needs(options.train);
}

std::filesystem::path training_folder(const ChapterProgram& chapter, const std::filesystem::path& results) { return results / chapter.folder / "training"; }

/// Gives the exit status.
int train(const ChapterProgram& chapter, const TrainingOptions& options, const std::string& results, const std::string& data) {
  training::Sitting sitting;
  sitting.data = data;
  sitting.folder = training_folder(chapter, results);
  sitting.published = options.publish;
  sitting.seed = static_cast<std::uint64_t>(program::parse_positive(options.seed, "--seed", 1'000'000));
  sitting.again = options.again;
  std::vector<const training::Training*> wanted;
  for (const std::string& name : options.names) {
    if (name.empty()) continue;  // `--train` alone
    const auto found = std::ranges::find(chapter.trainings, name, &training::Training::name);
    if (found == chapter.trainings.end()) {
      std::vector<std::string> known;
      for (const training::Training& t : chapter.trainings) known.push_back(t.name);
      throw program::UserError(fmt::format("no model '{}' in this chapter; there are: {}", name, fmt::join(known, ", ")));
    }
    wanted.push_back(&*found);
  }
  if (wanted.empty())
    for (const training::Training& t : chapter.trainings) wanted.push_back(&t);
  for (const training::Training* t : wanted)
    if (!t->run(sitting)) return stopped;
  return 0;
}

}  // namespace

int chapter_main(int argc, char** argv, const ChapterProgram& chapter) {
  return program::run_main(argc, argv, [&]() -> int {
    if (const auto status = serve_peak_memory(argc, argv, chapter.mechanisms)) return *status;

    CLI::App app(chapter.summary, "course run " + chapter.folder.substr(0, 2));
    std::string results_folder = "results";
    std::string data_folder = "datasets/data";
    std::string threads_text;
    bool quick = false;
    program::add(app, {{"--results", "folder for the results", &results_folder},
                       {"--data", "folder with the data sets", &data_folder},
                       {"--threads", "threads to use. Default: all", &threads_text},
                       {"--quick", "small sizes, for a first look; written to a folder of its own", &quick}});
    program::add(app, chapter.options);
    TrainingOptions training;
    if (!chapter.trainings.empty()) add(app, chapter, training);
    if (const auto status = program::parse(app, argc, argv)) return *status;

    const int threads = threads_text.empty() ? machine::available_cpus()
                                             : static_cast<int>(program::parse_positive(threads_text, "--threads", 1024));
    machine::use_threads(threads);
    if (training.train && training.train->count() > 0) return train(chapter, training, results_folder, data_folder);
    // Published weights lie beside the data: datasets/data and datasets/weights.
    const training::WeightFolders trained{training_folder(chapter, results_folder),
                                          (std::filesystem::absolute(data_folder) / "..").lexically_normal() / "weights"};
    if (chapter.instead && chapter.instead(results_folder, data_folder, trained)) return 0;
    const bool real = !chapter.load || chapter.load(data_folder);
    Results results(results_folder, chapter.folder, quick, real);
    if (!real)
      std::cout << "The chapter's data is not in " << data_folder
                << ": a small generated stand-in takes its place, and every figure says so.\n";

    machine::Roofs roofs;
    std::vector<Figure> figures;
    Climber climber(results, roofs, threads, quick, figures);
    chapter.experiments({results, roofs, climber, threads, quick, figures, trained});

    results.add_roofs(roofs);
    climber.write();
    results.write_summary(figures);
    std::cout << fmt::format("Results are in {}\n", results.folder().string());
    return 0;
  });
}

}  // namespace attention::ladder
