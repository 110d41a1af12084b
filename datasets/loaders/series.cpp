#include "loaders/series.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <numbers>
#include <optional>
#include <string_view>
#include <system_error>

#include "loaders/folder.hpp"
#include "numerics/random.hpp"
#include "program/error.hpp"
#include "program/input_file.hpp"
#include "program/text.hpp"

namespace attention::datasets {
namespace {

using program::one_line;
using program::UserError;
using std::chrono::sys_days;
using std::chrono::year_month_day;
namespace fs = std::filesystem;

constexpr std::string_view first_line = "date,co2";
constexpr double most = 10'000;

double year_of(sys_days day) {
  const sys_days epoch = year_month_day{std::chrono::year{1970}, std::chrono::January, std::chrono::day{1}};
  return 1970 + static_cast<double>((day - epoch).count()) / 365.25;
}

std::string text_of(sys_days day) {
  const year_month_day date{day};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// "19580329"; nothing where it is no day of the calendar.
std::optional<sys_days> day_of(std::string_view text) {
  if (text.size() != 8 || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  const year_month_day date{std::chrono::year{number_of<int>(text.substr(0, 4)).value()},
                            std::chrono::month{number_of<unsigned>(text.substr(4, 2)).value()},
                            std::chrono::day{number_of<unsigned>(text.substr(6, 2)).value()}};
  if (!date.ok()) return std::nullopt;
  return sys_days{date};
}

class SeriesReader {
 public:
  explicit SeriesReader(const fs::path& file) : name_(one_line(file.string())), text_(program::read_text(file, 16'000'000)) {}

  WeeklySeries read() {
    const auto first = next();
    if (!first || *first != first_line) refuse("found '{}', expected the heading '{}'", one_line(first.value_or(""), 60), first_line);
    WeeklySeries series;
    tensor::Index weeks = 0;
    std::optional<sys_days> last;
    while (const auto line = next()) {
      const std::size_t comma = line->find(',');
      if (comma == line->npos || line->find(',', comma + 1) != line->npos)
        refuse("found '{}', expected a date, a comma and a number", one_line(*line, 60));
      const std::string_view date = line->substr(0, comma);
      const std::string_view value = line->substr(comma + 1);
      const auto day = day_of(date);
      if (!day) refuse("'{}' is not a date, expected eight digits as in 19580329", one_line(date, 60));
      if (last && *day != *last + std::chrono::days{7})
        refuse("the date {} follows {}, expected the day a week later, {}", text_of(*day), text_of(*last),
               text_of(*last + std::chrono::days{7}));
      last = day;
      if (value.empty()) {
        ++series.missing;
      } else {
        const auto number = number_of<double>(value);
        if (!number || !(*number > 0 && *number < most))
          refuse("'{}' is not a measurement, expected a number between 0 and {} or nothing", one_line(value, 60), most);
        series.week.push_back(weeks);
        series.year.push_back(year_of(*day));
        series.value.push_back(*number);
        series.date.push_back(text_of(*day));
      }
      ++weeks;
    }
    if (series.size() == 0) throw UserError(fmt::format("{}: it holds no measurement; fetch it again", name_));
    return series;
  }

 private:
  /// The next line without its end; nothing at the end of the text.
  std::optional<std::string_view> next() {
    if (position_ >= text_.size()) return std::nullopt;
    ++line_;
    const std::size_t end = std::min(text_.find('\n', position_), text_.size());
    const std::string_view line(text_.data() + position_, end - position_);
    position_ = end + 1;
    return line;
  }

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    throw UserError(fmt::format("{}: line {}: {}", name_, std::max<std::size_t>(line_, 1),
                                fmt::format(format, std::forward<Args>(args)...)));
  }

  std::string name_;
  std::string text_;
  std::size_t position_ = 0;
  std::size_t line_ = 0;
};

}  // namespace

WeeklySeries load_co2(const fs::path& data_folder) {
  if (!has_folder(data_folder, "co2")) return make_series_stand_in();
  return SeriesReader(data_folder / "co2/co2.csv").read();
}

WeeklySeries make_series_stand_in(tensor::Index weeks) {
  WeeklySeries series;
  series.real = false;
  numerics::Random random(1);
  const sys_days first = year_month_day{std::chrono::year{1960}, std::chrono::January, std::chrono::day{2}};
  for (tensor::Index week = 0; week < weeks; ++week) {
    const sys_days day = first + std::chrono::days{7 * week};
    const double year = year_of(day);
    const double wave = 2 * std::numbers::pi * year;
    const double value = 300 + 1.2 * (year - 1960) + 0.01 * (year - 1960) * (year - 1960) + 3 * std::sin(wave) +
                         0.8 * std::cos(2 * wave) + 0.4 * static_cast<double>(random.normal());
    if (random.uniform() < 0.02) {
      ++series.missing;
      continue;
    }
    series.week.push_back(week);
    series.year.push_back(year);
    series.value.push_back(value);
    series.date.push_back(text_of(day));
  }
  return series;
}

}  // namespace attention::datasets
