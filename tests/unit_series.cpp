#include <cmath>
#include <filesystem>
#include <string>

#include "loaders/series.hpp"
#include "unit_files.hpp"

namespace {

namespace fs = std::filesystem;
using namespace attention::tests;
using namespace attention::datasets;

const std::string good = "date,co2\n19580329,316.1\n19580405,\n19580412,317.6\n";

fs::path put_series(const Scratch& folder, const std::string& text) {
  fs::create_directories(folder / "co2");
  put(folder / "co2/co2.csv", text);
  return folder.path();
}

std::string told(const std::string& text) {
  const Scratch folder;
  return refusal([&] { load_co2(put_series(folder, text)); });
}

TEST_CASE("a weekly series is read, its missing weeks left out", "[unit]") {
  const Scratch folder;
  // The last line may lack its end.
  for (const std::string& text : {good, good.substr(0, good.size() - 1)}) {
    const WeeklySeries series = load_co2(put_series(folder, text));
    CHECK(series.real);
    REQUIRE(series.size() == 2);
    CHECK(series.missing == 1);
    CHECK(series.week == std::vector<std::ptrdiff_t>{0, 2});
    CHECK(series.value == std::vector<double>{316.1, 317.6});
    CHECK(series.date == std::vector<std::string>{"1958-03-29", "1958-04-12"});
    CHECK(std::abs(series.year[0] - 1958.238) < 1e-3);
    CHECK(std::abs(series.year[1] - series.year[0] - 14 / 365.25) < 1e-9);
  }
}

TEST_CASE("a damaged series is refused in one line that names file and line", "[unit]") {
  CHECK(says(told(""), {"co2.csv", "line 1", "date,co2"}));
  CHECK(says(told("date,so2\n"), {"line 1", "date,so2", "heading"}));
  CHECK(says(told("date,co2\r\n19580329,1\r\n"), {"line 1"}));
  CHECK(says(told("date,co2\n"), {"co2.csv", "no measurement"}));
  CHECK(says(told("date,co2\n19580329,\n"), {"no measurement"}));
  CHECK(says(told(good + "19580419\n"), {"line 5", "a comma"}));
  CHECK(says(told(good + "19580419,1,2\n"), {"line 5", "a comma"}));
  CHECK(says(told(good + "\n"), {"line 5"}));
  CHECK(says(told(good + "195804190,1\n"), {"line 5", "not a date"}));
  CHECK(says(told(good + "1958x419,1\n"), {"line 5", "not a date"}));
  CHECK(says(told(good + "19580230,1\n"), {"line 5", "not a date"}));
  CHECK(says(told(good + "19580420,1\n"), {"line 5", "1958-04-20", "1958-04-12", "1958-04-19"}));
  CHECK(says(told(good + "19580412,1\n"), {"line 5", "a week later"}));
  for (const char* value : {"x", "3x", "nan", "inf", "-1", "0", "10000", "1e99", "1e999", " 1", "+1"})
    CHECK(says(told(good + "19580419," + value + "\n"), {"line 5", value, "not a measurement"}));
}

TEST_CASE("a series that is not there, or not a folder", "[unit]") {
  const Scratch folder;
  const WeeklySeries stand_in = load_co2(folder.path());
  CHECK_FALSE(stand_in.real);
  CHECK(stand_in.missing > 0);
  CHECK(stand_in.size() + static_cast<std::size_t>(stand_in.missing) == 2000);
  CHECK(stand_in.value == make_series_stand_in().value);

  put(folder / "co2", "");
  CHECK(says(refusal([&] { load_co2(folder.path()); }), {"co2", "not a folder"}));
  put(folder / "file", "");
  CHECK(says(refusal([&] { load_co2(folder / "file"); }), {"cannot read", "--data"}));
  fs::remove(folder / "co2");
  fs::create_directories(folder / "co2");
  CHECK(says(refusal([&] { load_co2(folder.path()); }), {"co2.csv", "cannot open"}));
}

}  // namespace
