#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "program/json.hpp"
#include "tensor/npy.hpp"
#include "tensor/tensor.hpp"

/// What attended to what, in the one form that every program writes and every plot and viewer reads.
///
/// A record called NAME is NAME.attention.json and, beside it in the same folder, .npy files that it names:
///
///     {
///       "schema": 1,
///       "title": "Test images and the training images they look at",
///       "kind": "images",                 what is attended to: the kind of "keys"
///       "data": "real",                   or "stand_in": made from generated data
///       "layers": 1, "heads": 1,
///       "queries": SIDE, "keys": SIDE,
///       "weights": "NAME.attention.npy",  float32 [layers, heads, queries.count, keys.count]
///       "machine": {…}                    optional: machine::describe_json()
///     }
///
/// SIDE says what a row, or a column, of the weights is:
///
///     {"kind": "tokens", "count": n, "labels": [n texts]}
///     {"kind": "image",  "count": h·w, "grid": [h, w], "pixels": "NAME.keys.npy"}
///         the places of one picture, row by row; pixels [H, W] or [H, W, 3], of any size
///     {"kind": "images", "count": n, "labels": [n texts], "pixels": …}    n pictures, [n, H, W] or [n, H, W,
///     3]
///     {"kind": "frames", "count": n, "labels": [n texts], "pixels": …}    the same, in the order of time
///
/// Labels may be left out but for tokens; pixels may be left out but for images and frames, where labels may
/// then stand alone (one of the two is there). Pixels are uint8 (0 to 255) or float32 (0 to 1). A weight is
/// finite, from 0 to 1, and a row sums to 1 at most: less where only the keys that matter are kept, 0 where
/// all are masked. Both bounds are held to 1e-3. A file name in the record has no folder in it.
namespace attention::record {

enum class Kind { tokens, image, images, frames };

/// One side of the record: what the queries, or the keys, are.
struct Side {
  Kind kind = Kind::tokens;
  std::vector<std::string> labels = {};
  /// Rows and columns of places, for Kind::image.
  std::array<std::size_t, 2> grid = {0, 0};
  std::optional<tensor::NpyArray> pixels = std::nullopt;
};

/// Sides of each kind, from what a program has at hand.
Side tokens(std::vector<std::string> labels);
Side image(std::array<std::size_t, 2> grid, std::optional<tensor::NpyArray> pixels = std::nullopt);
Side images(tensor::NpyArray pixels, std::vector<std::string> labels = {});
Side frames(tensor::NpyArray pixels, std::vector<std::string> labels = {});

struct AttentionRecord {
  std::string title;
  /// False where the data is a generated stand-in.
  bool real = true;
  Side queries;
  Side keys;
  /// [layers, heads, queries, keys].
  tensor::Tensor<4> weights;
  /// machine::describe_json(), or null.
  Json machine = nullptr;
};

/// Writes the record as `folder`/`name`.attention.json and the .npy files it names, the JSON last, each whole
/// or not at all. Throws UserError where the parts do not agree (see above) or cannot be written.
void write(const AttentionRecord& record, const std::filesystem::path& folder, const std::string& name);

/// Reads a record by its .attention.json file and checks all of it. Throws UserError naming the file, the
/// field, and what was found and expected.
AttentionRecord read(const std::filesystem::path& file);

}  // namespace attention::record
