// Chapter 2: dot-product attention as a soft look-up of images, and the ladder from its formula to the machine.
#include "dot_product.hpp"
#include "experiments/experiments.hpp"

int main(int argc, char** argv) {
  using namespace attention;
  datasets::FashionMnist data;
  ladder::ChapterProgram program;
  program.folder = "02_dot_product_attention";
  program.summary = "Chapter 2, dot-product attention: 10,000 images look up 60,000 others, and the ladder is climbed.";
  program.mechanisms = dot_product::mechanisms();
  program.load = [&](const std::filesystem::path& folder) {
    data = datasets::load_fashion_mnist(folder);
    return data.real;
  };
  program.experiments = [&](const ladder::ChapterRun& run) {
    if (run.quick) data.train = datasets::first_pictures(data.train, 10000), data.test = datasets::first_pictures(data.test, 1000);
    const dot_product::Context context{run, data};
    const dot_product::LookUp best = dot_product::accuracy_over_scale(context);
    dot_product::what_it_looks_at(context, best);
    dot_product::high_dimension(context);
    dot_product::climb_the_ladder(context, best);
    dot_product::steps_of_the_top_rung(context, best);
  };
  return ladder::chapter_main(argc, argv, program);
}
