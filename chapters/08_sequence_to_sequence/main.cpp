#include <iostream>
#include <cstdlib>
#include "spelling.hpp"
#include "training/trainer.hpp"
using namespace attention;
using namespace attention::sequence_to_sequence;
static double env(const char*n,double d){const char*e=getenv(n);return e?atof(e):d;}
int main(int, char** argv) {
  auto data = datasets::load_pronunciations("/work/main/datasets/data");
  auto train = pronunciation_pairs(data.of(datasets::Part::training));
  auto valid = data.of(datasets::Part::validation); valid.resize(std::size_t(env("VALID",4941)));
  std::cout << train.size() << " pairs " << valid.size() << " " << data.of(datasets::Part::test).size() << "\n";
  Sizes s{.source_symbols=letter_symbols,.target_symbols=phoneme_symbols,.embedding=Index(env("E",64)),.encoder=Index(env("H",128)),.decoder=Index(env("D",256)),.units=Index(env("U",128)),.window=2,.dropout=env("P",0.2),.kind=kind_of(argv[1])};
  EncoderDecoder<float> model(s,1);
  training::Recipe r; r.name="trial"; r.configuration=to_json(s); r.steps=int(env("STEPS",200)); r.parts=int(env("PARTS",8)); r.peak_rate=env("RATE",2e-3); r.evaluate_every=int(env("EVERY",1000)); r.warm_up=200; r.clip=1;
  Batches b(train, Index(env("B",256)), r.parts, 1);
  std::cout << b.steps_per_epoch() << " steps an epoch, " << autograd::count(model.parameters()) << " weights\n";
  training::Task t; t.parameters=model.parameters(); t.evaluated="word error rate";
  t.loss=[&](training::Tape<float>& tape, std::int64_t step, int part){ return model.loss(tape,b.part(step,part),double(b.targets(step)));};
  t.evaluate=[&]{ auto e=errors_of(pronounce(model,valid),valid); std::cout<<"PER "<<e.symbol_error_rate()<<"\n"; return e.answer_error_rate();};
  training::train(t,r,argv[2],1e9);
}
