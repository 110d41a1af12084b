#pragma once

#include <filesystem>
#include <span>
#include <string_view>

namespace attention::program {

/// Makes `folder` and its parents where they are missing.
/// Throws UserError, naming the folder and the reason, where that cannot be done or the folder cannot be
/// written.
void make_folder(const std::filesystem::path& folder);

/// Throws UserError where `file` could not be written later: its folder is not there, or may not be written.
void require_writable(const std::filesystem::path& file);

/// Writes `content` to `file` so that the file is there whole or not at all: a temporary name beside it,
/// flushed to the disk, then renamed. Throws UserError (disk full, not writable …) and leaves nothing behind,
/// not even where the program is ended by SIGINT, SIGTERM or SIGHUP while it writes. A device or a pipe
/// (`/dev/null`, `/dev/stdout`) is never replaced: it is written directly.
void write_file(const std::filesystem::path& file, std::string_view content);

/// The same from several pieces, in their order: a large array need not be copied behind its header first.
void write_file(const std::filesystem::path& file, std::span<const std::string_view> pieces);

}  // namespace attention::program
