#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace attention::datasets {

/// One verse of a module, with its markup.
struct SwordVerse {
  std::string chapter;  ///< the book's and the chapter's name in OSIS: "Gen.1", "3John.1"
  int verse = 0;        ///< from 1
  std::string markup;   ///< OSIS, UTF-8: `<w lemma="strong:H7225">EN el principio</w> …`
};

/// A Bible in the form of the SWORD Project, as Debian's sword-text-* packages have it.
struct SwordModule {
  std::string name;      ///< "spaRV1909eb"
  std::string title;     ///< its Description
  std::string language;  ///< its Lang: "es"
  std::vector<SwordVerse> verses;
};

/// Reads sword_folder/mods.d/NAME.conf and the module that it describes: zText, OSIS, UTF-8, ZIP. For each testament, NAME.bzs
/// lists the packed blocks of NAME.bzz (where each begins, its size packed and unpacked) and NAME.bzv the block, place and length
/// of each entry: of every book, of every chapter and of every verse in turn, whether the text has it or not.
/// Which entry is which verse is found without the tables of versification: the markup says where each chapter begins, and its
/// verses are the entries that follow. Chapters that share one entry, for which the module's versification has no places (the
/// Greek additions to Daniel), are left out, as are verses without text.
/// Throws UserError, naming file and entry, where the conf says that the module is another kind, a file is missing, its size is
/// not a multiple of an entry's, an entry points beyond its block or a block beyond its file, a block cannot be unpacked or has
/// another size than said, and where no verse is found. Sizes are checked before anything is allocated.
SwordModule read_sword_module(const std::filesystem::path& sword_folder, const std::string& name);

}  // namespace attention::datasets
