#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tensor/tensor.hpp"

namespace attention::datasets {

/// A quantity measured week by week; weeks without a measurement are left out.
struct WeeklySeries {
  std::vector<tensor::Index> week;  ///< weeks since the first one, ascending
  std::vector<double> year;         ///< the same in years with a fraction, 365.25 days each: 1958.24
  std::vector<double> value;
  std::vector<std::string> date;    ///< "1958-03-29"
  tensor::Index missing = 0;        ///< weeks left out
  /// False where it is the generated stand-in; every page and table made from it says so.
  bool real = true;

  std::size_t size() const { return week.size(); }
};

/// Carbon dioxide in the air at Mauna Loa, Hawaii, in ppm (Keeling and Whorf 2004), weekly from 1958 to 2001; or a stand-in.
/// Reads `data_folder`/co2/co2.csv: a line "date,co2", then "YYYYMMDD,number" for every week in turn, with nothing after the
/// comma where there is no measurement. Where that folder is not there, returns make_series_stand_in(). Throws UserError naming
/// file and line on another heading, a date that does not exist or is not seven days after the last, a field that is not a
/// number between 0 and 10,000, or a line without a comma or with a second one; and on a file that is missing, larger than
/// 16 MB, or holds no measurement.
WeeklySeries load_co2(const std::filesystem::path& data_folder);

/// A rising line with a yearly wave and noise, a few weeks missing. The same numbers give the same series, up to the
/// compiler's rounding.
WeeklySeries make_series_stand_in(tensor::Index weeks = 2'000);

}  // namespace attention::datasets
