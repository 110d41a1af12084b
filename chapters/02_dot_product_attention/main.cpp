// Chapter 2: dot-product attention as a soft look-up of images, and the ladder from its formula to the machine.
#include <fmt/format.h>

#include <iostream>

#include "dot_product.hpp"
#include "experiments/experiments.hpp"
#include "ladder/peak_memory.hpp"
#include "machine/affinity.hpp"
#include "program/command_line.hpp"
#include "program/main.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  return program::run_main(argc, argv, [&]() -> int {
    if (const auto status = ladder::serve_peak_memory(argc, argv, dot_product::mechanisms())) return *status;

    CLI::App app("Chapter 2, dot-product attention: 10,000 images look up 60,000 others, and the ladder is climbed.",
                 "course run 02");
    std::string results_folder = "results";
    std::string data_folder = "datasets/data";
    std::string threads_text;
    bool quick = false;
    app.add_option("--results", results_folder, "folder for the results")->capture_default_str();
    app.add_option("--data", data_folder, "folder with the data sets")->capture_default_str();
    app.add_option("--threads", threads_text, "threads to use. Default: all");
    app.add_flag("--quick", quick, "small sizes, for a first look; written to a folder of its own");
    if (const auto status = program::parse(app, argc, argv)) return *status;

    const int threads = threads_text.empty() ? machine::available_cpus()
                                             : static_cast<int>(program::parse_positive(threads_text, "--threads", 1024));
    machine::use_threads(threads);
    const datasets::FashionMnist data = datasets::load_fashion_mnist(data_folder);
    ladder::Results results(results_folder, "02_dot_product_attention", quick, data.real);
    if (!data.real)
      std::cout << "Fashion-MNIST is not in " << data_folder
                << ": a small generated stand-in takes its place, and every figure says so.\n";

    machine::Roofs roofs;
    std::vector<ladder::Figure> figures;
    const dot_product::Context context{results, data, roofs, threads, quick, figures};
    const dot_product::LookUp best = dot_product::accuracy_over_scale(context);
    dot_product::what_it_looks_at(context, best);
    dot_product::high_dimension(context);
    dot_product::climb_the_ladder(context, best);

    results.add_roofs(roofs);
    results.write_summary(figures);
    std::cout << fmt::format("Results are in {}\n", results.folder().string());
    return 0;
  });
}
