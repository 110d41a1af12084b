"""Pages that programs and notebooks left among the results, with what they need: viewers, one's own words."""
import html
import os
import re
from pathlib import Path
from urllib.parse import quote, unquote

from attention_plots.results import Chapter

LINK = re.compile(r"""(\b(?:href|src|data)\s*=\s*)(["'])([^"'#?]+)([^"']*)\2""")
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL | re.IGNORECASE)
FOLDER = "attached"


class Attached:
    """`site` is the book; `pages` the pages of the book that stand for files of the results, by path."""

    def __init__(self, site, pages):
        self.site, self.book_pages = site, pages
        self.found = []  # (title, address below the book, where it was)
        self._taken = set()

    def collect(self, chapters):
        """All pages of these chapters and of all of them."""
        places = [self.site.results, *(Chapter(name, self.site.results, self.site.mode).folder for name in chapters)]
        for place in places:
            files = sorted(place.glob("*.html"))
            if place != self.site.results:
                files += sorted(file for file in place.glob("*/**/*.html")
                                if "quick" not in file.relative_to(place).parts)
            for file in files:
                if file not in self.book_pages and not any(part.startswith(".")
                                                           for part in file.relative_to(self.site.results).parts):
                    self.page(file)

    def page(self, file):
        if file in self._taken:
            return
        self._taken.add(file)
        text = file.read_text(encoding="utf-8", errors="replace")
        title = TITLE.search(text)
        name = file.relative_to(self.site.results)
        self.found.append((html.unescape(title[1].strip()) if title else name.stem, f"{FOLDER}/{quote(str(name))}",
                           name))
        self.site.pages.text(f"_attached/{FOLDER}/{name}", LINK.sub(lambda match: self._link(match, file), text))

    def _link(self, match, file):
        address = match[3]
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", address):
            return match[0]
        target = Path(os.path.normpath(file.parent / unquote(address)))
        if target in self.book_pages:
            here = Path(FOLDER) / file.relative_to(self.site.results).parent
            new = os.path.relpath(f"{self.book_pages[target]}.html", here)
            return f"{match[1]}{match[2]}{quote(new)}{match[4]}{match[2]}"
        if target.is_file() and target.is_relative_to(self.site.results):
            if target.suffix == ".html":
                self.page(target)
            elif target not in self._taken:
                self._taken.add(target)
                self.site.pages.bytes(f"_attached/{FOLDER}/{target.relative_to(self.site.results)}",
                                      target.read_bytes())
        return match[0]

    def write_page(self, page="attached_pages"):
        text = "# Pages made on this machine\n\n"
        self.site.pages.text(f"_attached/{FOLDER}/README.txt",
                             "Pages that programs and notebooks left among the results.\n")
        if not self.found:
            text += "There are none yet: `./course run` makes them.\n"
        for title, address, name in self.found:
            text += f'- <a href="{address}">{html.escape(title)}</a> (`results/{name}`)\n'
        self.site.pages.text(f"{page}.md", text)
