#include <string>
#include <vector>

#include "program/command_line.hpp"
#include "program/text.hpp"
#include "unit_files.hpp"

namespace {

using namespace attention::tests;
using namespace attention::program;

TEST_CASE("whole numbers of at least 1 are taken", "[unit]") {
  CHECK(parse_positive("1", "threads") == 1);
  CHECK(parse_positive("1000000000000", "keys") == 1'000'000'000'000);
  CHECK(parse_positive("9223372036854775807", "keys") == INT64_MAX);
  CHECK(parse_positive_list("1,2", "threads") == std::vector<std::int64_t>{1, 2});
  CHECK(parse_positive_list("7", "threads") == std::vector<std::int64_t>{7});
}

TEST_CASE("all else is refused with its name and its text", "[unit]") {
  for (const char* text : {"0", "-1", "2x", "", " 1", "1 ", "+1", "1.5", "1e3", "0x10", "-",
                           "-99999999999999999999999", "one"}) {
    INFO(text);
    CHECK(
        says(refusal([&] { parse_positive(text, "threads"); }),
             {"threads must be a whole number of at least 1, not", (std::string("'") + text + "'").c_str()}));
  }
  const std::string huge = "1" + std::string(30, '0');
  CHECK(says(refusal([&] { parse_positive(huge, "keys"); }),
             {"keys is too large", huge.c_str(), "9223372036854775807"}));
  CHECK(says(refusal([] { parse_positive("9", "threads", 8); }), {"threads is too large: '9'; at most 8"}));
  CHECK(says(refusal([] { parse_positive("1\n2", "threads"); }), {"'1\\x0a2'"}));
  for (const char* text : {"", ",", "1,", ",1", "1,,2", "1,0", "1,x", "1;2"}) {
    INFO(text);
    CHECK(says(refusal([&] { parse_positive_list(text, "threads"); }), {"threads", text}));
  }
}

struct CommandLine {
  explicit CommandLine(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& word : words_) pointers_.push_back(word.data());
    pointers_.push_back(nullptr);
  }
  int count() const { return static_cast<int>(words_.size()); }
  char** words() { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
};

TEST_CASE("a command line is parsed, or refused in one line", "[unit]") {
  bool quick = false;
  std::string folder = "results";
  std::string file;
  std::int64_t steps = 0;
  std::vector<std::string> texts;
  const auto run = [&](std::vector<std::string> words) {
    CommandLine line(std::move(words));
    return parse("a program", "program",
                 {{"FILE", "what is read", &file},
                  {"--quick", "no patience", &quick},
                  {"--results", "a folder", &folder},
                  {"--steps", "so many", &steps},
                  {"--text", "may be given again", &texts}},
                 line.count(), line.words());
  };
  CHECK_FALSE(run({"program", "a file"}).has_value());
  CHECK(file == "a file");
  CHECK_FALSE(quick);
  CHECK(folder == "results");
  CHECK_FALSE(run({"program", "--text", "one", "a", "--text=two words", "--quick", "--steps", "3", "--results", "there"}).has_value());
  CHECK(quick);
  CHECK(file == "a");
  CHECK(steps == 3);
  CHECK(folder == "there");
  CHECK(texts == std::vector<std::string>{"one", "two words"});
  CHECK(says(refusal([&] { run({"program", "a", "--no\nsuch"}); }), {"--no", "; see --help"}));
  CHECK(says(refusal([&] { run({"program", "a", "word"}); }), {"word", "; see --help"}));
  CHECK(says(refusal([&] { run({"program", "a", "--steps", "many"}); }), {"--steps", "; see --help"}));
  CHECK(says(refusal([&] { run({"program"}); }), {"FILE", "; see --help"}));
}

TEST_CASE("text is cut and made fit for one line", "[unit]") {
  CHECK(split("a,,b", ',') == std::vector<std::string_view>{"a", "", "b"});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
  CHECK(one_line("plain – é") == "plain – é");
  CHECK(one_line("a\nb\x1b[0m") == "a\\x0ab\\x1b[0m");
  CHECK(one_line("\xff\xc3") == "\\xff\\xc3");
  CHECK(one_line("\xc0\xaf") == "\\xc0\\xaf");  // an overlong '/'
  CHECK(one_line(std::string(500, 'x'), 3) == "xxx…");
}

}  // namespace
