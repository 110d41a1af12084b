#include <fmt/format.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <cmath>
#include <memory>

#include "arrays.hpp"
#include "bindings.hpp"
#include "encoder_record.hpp"
#include "loaders/fashion_mnist.hpp"
#include "look.hpp"
#include "network_maps.hpp"
#include "picture_training.hpp"
#include "program/error.hpp"
#include "sentence_encoder.hpp"
#include "trained.hpp"
#include "trainings.hpp"
#include "words.hpp"

namespace attention::module {

namespace {

namespace fs = std::filesystem;
using program::UserError;
using record::AttentionRecord;

/// The folders of this checkout.
const fs::path checkout = ATTENTION_SOURCE_DIR;

fs::path data_folder() { return checkout / "datasets/data"; }
training::WeightFolders folders_of(const std::string& chapter) { return {checkout / "results" / chapter / "training", checkout / "datasets/weights"}; }

/// What is not there is told with the command that brings it.
void require(const fs::path& folder, const char* what, const char* command) {
  if (!fs::exists(folder)) throw UserError(fmt::format("{} is not there ({}); {} fetches it", what, folder.string(), command));
}

/// A record's weights without the axes of layers and heads where it has one of each.
py::array weights_of(const std::shared_ptr<AttentionRecord>& record) {
  const auto& shape = record->weights.shape();
  std::vector<std::size_t> told(shape.begin(), shape.end());
  if (shape[0] == 1 && shape[1] == 1) told.erase(told.begin(), told.begin() + 2);
  return over(record->weights.data(), told, record);
}

std::shared_ptr<AttentionRecord> shared(AttentionRecord record) { return std::make_shared<AttentionRecord>(std::move(record)); }

const sequence_to_sequence::Plan& spelling_plan(const std::string& name) {
  std::string names;
  for (const auto& plan : sequence_to_sequence::spelling_plans()) {
    if (plan.name == name) return plan;
    names += (names.empty() ? "" : ", ") + plan.name;
  }
  throw UserError(fmt::format("there is no model '{}'; there are: {}", name, names));
}

struct Pronouncer {
  datasets::Pronunciations data;
  std::unique_ptr<sequence_to_sequence::EncoderDecoder<float>> model;

  explicit Pronouncer(const std::string& name) {
    data = datasets::load_pronunciations(data_folder());
    if (!data.real) throw UserError("the pronouncing dictionary is not there; ./course data fetches it");
    auto trained = sequence_to_sequence::load_spelling(spelling_plan(name), data, folders_of("08_sequence_to_sequence"));
    if (!trained) throw UserError(fmt::format("{} is not trained here; ./course train 08 {} makes it", name, name));
    model = std::make_unique<sequence_to_sequence::EncoderDecoder<float>>(std::move(trained->model));
  }
};

struct GlossClassifier {
  recurrent_attention::Corpus corpus;
  std::unique_ptr<recurrent_attention::TextClassifier<float>> model;

  explicit GlossClassifier(const std::string& pooling) : corpus(recurrent_attention::load_corpus(data_folder())) {
    if (!corpus.real) throw UserError("WordNet or the sentence encoder is not there; ./course run 07 fetches both");
    std::string names;
    for (auto& found : recurrent_attention::find_classifiers(corpus, folders_of("07_recurrent_attention"))) {
      const std::string name(recurrent_attention::name_of(found.model.pooling));
      if (name == pooling) model = std::make_unique<recurrent_attention::TextClassifier<float>>(std::move(found.model));
      names += (names.empty() ? "" : ", ") + name;
    }
    if (!model) throw UserError(fmt::format("there is no classifier '{}'; there are: {}", pooling, names));
  }
};

struct PictureClassifier {
  std::unique_ptr<convolutional::ResidualNetwork<float>> network;

  explicit PictureClassifier(const std::string& name) {
    std::string names;
    for (const auto& plan : convolutional::network_plans()) {
      const std::string short_name = plan.name.substr(plan.name.find('_') + 1);
      names += (names.empty() ? "" : ", ") + short_name;
      if (short_name != name) continue;
      auto found = convolutional::load_network(plan, convolutional::real_training_pictures, true, folders_of("06_convolutional_attention"));
      if (!found) throw UserError(fmt::format("{} is not trained here; ./course train 06 {} makes it", plan.name, plan.name));
      network = std::make_unique<convolutional::ResidualNetwork<float>>(std::move(*found));
      return;
    }
    throw UserError(fmt::format("there is no network '{}'; there are: {}", name, names));
  }
};

py::dict shares_by_name(const std::vector<float>& shares, const auto& names) {
  py::dict by_name;
  for (std::size_t i = 0; i < shares.size(); ++i) by_name[py::str(std::string(names.at(i)))] = shares[i];
  return by_name;
}

void bind_encoder(py::module_& models) {
  using multi_head::SentenceEncoder;
  py::class_<SentenceEncoder>(models, "SentenceEncoder",
                              "Chapter 3's: the Universal Sentence Encoder Lite (Cer et al. 2018), which others trained. ./course run 03 fetches it.")
      .def(py::init([](std::optional<fs::path> folder) {
             const fs::path where = folder.value_or(data_folder() / "sentence_encoder");
             require(where, "the sentence encoder", "./course run 03");
             return std::make_unique<SentenceEncoder>(where);
           }),
           py::arg("folder") = py::none())
      .def("embed",
           [](const SentenceEncoder& self, const std::vector<std::string>& sentences) {
             std::vector<float> all;
             {
               const py::gil_scoped_release others_may_run;
               for (const std::vector<float>& one : self.embed_all(sentences)) all.insert(all.end(), one.begin(), one.end());
             }
             return copy_of(all, {sentences.size(), static_cast<std::size_t>(SentenceEncoder::width)});
           },
           py::arg("sentences"), "Of a list of sentences: [sentences, 512] of float32, rows of length 1. Their products are similarities. The first 128 pieces of each count.")
      .def("pieces",
           [](const SentenceEncoder& self, const std::string& text) {
             std::vector<std::string> pieces;
             for (const std::size_t piece : self.tokeniser().encode(text)) pieces.push_back(self.tokeniser().piece(piece));
             return pieces;
           },
           py::arg("text"), "The pieces that the text is cut into.")
      .def("attention",
           [](const SentenceEncoder& self, const std::string& text) {
             const auto pieces = self.tokeniser().encode(text);
             if (pieces.empty()) throw UserError("the text has no pieces");
             return shared(multi_head::attention_record(self, pieces, text));
           },
           py::arg("text"), "What each of its heads looks at: weights [2 layers, 4 heads, pieces, pieces].");
}

void bind_pronouncer(py::module_& models) {
  namespace s2s = sequence_to_sequence;
  py::class_<Pronouncer>(models, "Pronouncer", "Chapter 8's letters to phonemes, with attention (Bahdanau, Cho, Bengio 2014).")
      .def(py::init<const std::string&>(), py::arg("name") = "g2p_additive")
      .def("say",
           [](const Pronouncer& self, const std::string& word, int width) {
             if (width < 1 || width > 100) throw UserError(fmt::format("width {}; 1 to 100 hypotheses are kept", width));
             const s2s::Answer answer = s2s::answers(*self.model, {s2s::letters_of(word)}, {.width = width}).at(0);
             return py::make_tuple(datasets::spoken_text(s2s::symbols_as_phonemes(answer.symbols)), std::exp(answer.log_probability),
                                   shared(s2s::record_of(word, answer, true)));
           },
           py::arg("word"), py::arg("width") = 5, "The phonemes (ARPAbet), their probability, and what was looked at: weights [phonemes, letters]. Beam search keeps `width` hypotheses.");
}

void bind_gloss_classifier(py::module_& models) {
  namespace ra = recurrent_attention;
  py::class_<GlossClassifier>(models, "GlossClassifier", "Chapter 7's: what kind of thing a text describes, read by an LSTM (Zhou et al. 2016).")
      .def(py::init<const std::string&>(), py::arg("pooling") = "attention")
      .def("read",
           [](GlossClassifier& self, const std::string& text) {
             const std::vector<std::string> words = datasets::gloss_words(text);
             if (words.empty()) throw UserError("the text has no word; words are of the letters a to z");
             const ra::Reading reading = ra::read(*self.model, self.corpus.lexicon.numbers(words), self.corpus.lexicon);
             py::list weights;
             for (std::size_t i = 0; i < reading.weights.size(); ++i) weights.append(py::make_tuple(words[i], reading.weights[i]));
             return py::make_tuple(self.corpus.classes[reading.best()], shares_by_name(reading.shares, self.corpus.classes), weights);
           },
           py::arg("text"), "The class, each class's share, and each word with its weight (none where the last state is read).");
}

void bind_picture_classifier(py::module_& models) {
  py::class_<PictureClassifier>(models, "PictureClassifier", "Chapter 6's residual networks on Fashion-MNIST: plain, se, eca, cbam, …")
      .def(py::init<const std::string&>(), py::arg("name") = "cbam")
      .def("read",
           [](PictureClassifier& self, const py::object& picture) {
             const GivenArray given = given_array("picture", picture);
             if (given.lent.shape != std::vector<std::size_t>{28, 28}) throw UserError(fmt::format("picture: its shape is {}; [28, 28] is wanted, 0 to 1, light on black", py::str(picture.attr("shape")).cast<std::string>()));
             const std::vector<float> pixels(given.lent.values, given.lent.values + 28 * 28);
             for (const float pixel : pixels)
               if (!(pixel >= 0 && pixel <= 1)) throw UserError(fmt::format("picture: it holds {}; its numbers are 0 to 1", pixel));
             const convolutional::PictureReading reading = convolutional::read_picture(*self.network, pixels, 28);
             py::dict maps;
             for (const auto& map : reading.maps) maps[py::str(map.name)] = copy_of(map.share, {28, 28});
             const auto& names = datasets::fashion_class_names();
             return py::make_tuple(names.at(reading.best()), shares_by_name(reading.probabilities, names), maps);
           },
           py::arg("picture"), "The class, each class's probability, and maps [28, 28] of where it looks, each of sum 1.");
}

}  // namespace

void bind_models(py::module_& m) {
  py::module_ models = m.def_submodule("models", "What was trained: in this course, and the sentence encoder by others.");
  py::class_<AttentionRecord, std::shared_ptr<AttentionRecord>>(models, "Record", "What looked at what.")
      .def_property_readonly("weights", [](const std::shared_ptr<AttentionRecord>& self) { return weights_of(self); },
                             "[layers, heads, queries, keys], or [queries, keys] where there is one head")
      .def_property_readonly("queries", [](const AttentionRecord& self) { return self.queries.labels; }, "labels of the rows")
      .def_property_readonly("keys", [](const AttentionRecord& self) { return self.keys.labels; }, "labels of the columns")
      .def_readonly("title", &AttentionRecord::title, "what is shown")
      .def("__repr__", [](const std::shared_ptr<AttentionRecord>& self) {
        return fmt::format("<Record '{}': weights {}>", self->title, py::str(weights_of(self).attr("shape")).cast<std::string>());
      });
  bind_encoder(models);
  bind_pronouncer(models);
  bind_gloss_classifier(models);
  bind_picture_classifier(models);
}

}  // namespace attention::module
