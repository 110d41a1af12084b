#include "ladder/chapter_program.hpp"

#include <fmt/format.h>

#include <iostream>

#include "ladder/peak_memory.hpp"
#include "machine/affinity.hpp"
#include "program/command_line.hpp"
#include "program/main.hpp"

namespace attention::ladder {

int chapter_main(int argc, char** argv, const ChapterProgram& chapter) {
  return program::run_main(argc, argv, [&]() -> int {
    if (const auto status = serve_peak_memory(argc, argv, chapter.mechanisms)) return *status;

    CLI::App app(chapter.summary, "course run " + chapter.folder.substr(0, 2));
    std::string results_folder = "results";
    std::string data_folder = "datasets/data";
    std::string threads_text;
    bool quick = false;
    app.add_option("--results", results_folder, "folder for the results")->capture_default_str();
    app.add_option("--data", data_folder, "folder with the data sets")->capture_default_str();
    app.add_option("--threads", threads_text, "threads to use. Default: all");
    app.add_flag("--quick", quick, "small sizes, for a first look; written to a folder of its own");
    if (chapter.options) chapter.options(app);
    if (const auto status = program::parse(app, argc, argv)) return *status;

    const int threads = threads_text.empty() ? machine::available_cpus()
                                             : static_cast<int>(program::parse_positive(threads_text, "--threads", 1024));
    machine::use_threads(threads);
    if (chapter.instead && chapter.instead(results_folder, data_folder)) return 0;
    const bool real = !chapter.load || chapter.load(data_folder);
    Results results(results_folder, chapter.folder, quick, real);
    if (!real)
      std::cout << "The chapter's data is not in " << data_folder
                << ": a small generated stand-in takes its place, and every figure says so.\n";

    machine::Roofs roofs;
    std::vector<Figure> figures;
    Climber climber(results, roofs, threads, quick, figures);
    chapter.experiments({results, roofs, climber, threads, quick, figures});

    results.add_roofs(roofs);
    climber.write();
    results.write_summary(figures);
    std::cout << fmt::format("Results are in {}\n", results.folder().string());
    return 0;
  });
}

}  // namespace attention::ladder
