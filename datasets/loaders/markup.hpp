#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace attention::datasets {

/// A piece of marked-up text: a tag, or the text up to the next tag.
struct Markup {
  std::string_view text;        ///< where `name` is empty: the text, entities and all
  std::string_view name;        ///< of the tag: "w"
  std::string_view attributes;  ///< what stands between the name and the end of the tag
  bool is_end = false;          ///< </w>
  bool is_whole = false;        ///< <w/>: begins and ends at once

  /// The value of an attribute; nothing where the tag has none of that name.
  std::optional<std::string_view> attribute(std::string_view key) const;
};

/// Takes the first piece off `rest`; nothing at its end. A '<' that no '>' follows is text.
std::optional<Markup> next_markup(std::string_view& rest);

/// `text` with &amp; &lt; &gt; &quot; &apos; replaced by what they stand for.
std::string without_entities(std::string_view text);

}  // namespace attention::datasets
