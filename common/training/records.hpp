#pragma once

#include <map>

#include "training/sitting.hpp"

namespace attention::training {

/// What the record of a finished training says.
struct Record {
  std::filesystem::path file;
  Json figures;        ///< as the training found them with its final weights
  Json curve;          ///< step, loss, figure, seconds of each point
  double seconds = 0;  ///< that it took

  bool real() const { return figures.value("data", "real") == "real"; }  ///< not trained on a stand-in
  /// One of the figures. Throws UserError where the record has none of that name.
  double figure(const std::string& name) const;
};

/// The records of a model's trainings by seed: the reader's own where he has one, else the course's. Throws UserError where a file is no
/// record.
std::map<std::uint64_t, Record> records_of(const std::string& model, const WeightFolders& folders);

}  // namespace attention::training
