// embed FILE.json|-: sentences to embeddings, as JSON on standard output and nothing else there.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "machine/affinity.hpp"
#include "program/command_line.hpp"
#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/json.hpp"
#include "program/main.hpp"
#include "sentence_encoder.hpp"

namespace {

using namespace attention;
using program::UserError;

constexpr std::size_t most_bytes = 64 << 20;

std::string read_input(const std::string& file) {
  if (file != "-") return program::read_text(file, most_bytes);
  std::string text;
  char block[65536];
  while (std::cin.read(block, sizeof block), std::cin.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(std::cin.gcount()));
    if (text.size() > most_bytes) throw UserError(fmt::format("standard input: more than {} MB; give fewer sentences at a time", most_bytes >> 20));
  }
  return text;
}

/// {"sentences": ["…", …]}.
std::vector<std::string> read_sentences(const std::string& file) {
  const std::string name = file == "-" ? "standard input" : file;
  const Json json = Json::parse(read_input(file), nullptr, false);
  if (json.is_discarded()) throw UserError(name + ": not JSON in UTF-8; {\"sentences\": [\"…\", …]} is read");
  if (!json.is_object() || !json.contains("sentences") || !json.at("sentences").is_array())
    throw UserError(name + ": no list \"sentences\"; {\"sentences\": [\"…\", …]} is read");
  std::vector<std::string> sentences;
  for (const Json& sentence : json.at("sentences")) {
    if (!sentence.is_string()) throw UserError(fmt::format("{}: sentence {} is no text", name, sentences.size() + 1));
    sentences.push_back(sentence.get<std::string>());
  }
  return sentences;
}

void print(const std::vector<std::vector<float>>& embeddings) {
  std::string text = "{\"embeddings\": [";
  for (std::size_t i = 0; i < embeddings.size(); ++i)
    text += fmt::format("{}[{}]", i == 0 ? "" : ",\n", fmt::join(embeddings[i], ", "));
  text += "]}\n";
  std::cout << text << std::flush;
  if (!std::cout) throw UserError("standard output: cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  return attention::program::run_main(argc, argv, [&] {
    std::string file;
    std::string data = "datasets/data";
    std::string threads;
    if (const auto status = program::parse("Sentences to embeddings: 512 numbers each, by the Universal Sentence Encoder Lite.",
                                           "course embed",
                                           {{"file", "{\"sentences\": [...]}; - is standard input", &file},
                                            {"--data", "folder of the data sets", &data},
                                            {"--threads", "how many; default: all CPUs", &threads}},
                                           argc, argv))
      return *status;
    machine::use_threads(threads.empty() ? machine::available_cpus() : static_cast<int>(program::parse_positive(threads, "--threads", 1024)));

    const std::vector<std::string> sentences = read_sentences(file);
    const std::filesystem::path folder = std::filesystem::path(data) / "sentence_encoder";
    if (!std::filesystem::is_directory(folder)) throw UserError(fmt::format("{}: the sentence encoder is not there; ./course embed fetches it", folder.string()));
    const multi_head::SentenceEncoder encoder(folder);
    print(encoder.embed_all(sentences));
    return 0;
  });
}
