"""What the pages of the book know of each other: which file of the project stands on which page."""
import os
import re

from measured_blocks import change_links

from .pages import Pages, fenced, front_matter

LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".sh": "bash", ".json": "json", ".cmake": "cmake",
             ".mjs": "javascript",
             ".ipynb": "json"}
LARGEST_FILE = 200_000  # bytes; what is larger is no code to read


class Site:
    """`root` is the project, `results` what was measured, `folder` where the pages go.

    Attributes: documents, the Markdown files that are pages, by path; rungs, the files that are rungs, by path; headers,
    the page of the reference where a header stands, by path. They are filled before the first link is followed."""

    def __init__(self, root, results, mode, folder):
        self.root, self.results, self.mode = root, results, mode
        self.pages = Pages(folder)
        self.documents, self.rungs, self.headers = {}, {}, {}
        self.lost = []  # links that lead nowhere, a line each
        self._code = {}

    def page_of(self, path):
        """The page where a file of the project stands; None where it has none. Code gets a page when it is first asked for; the
        search leaves these out, since the rungs' own pages and the reference hold the same words."""
        if (path / "README.md") in self.documents:
            path = path / "README.md"
        if path in self.documents:
            return self.documents[path]
        if path in self.rungs:
            return self.rungs[path].page
        return self._code_page(path)

    def link(self, page, path):
        """How `page` points to the page of a file; None where that has none."""
        target = self.page_of(path)
        return target and self.between(page, target)

    @staticmethod
    def between(page, target):
        """The relative address of the Markdown file of one page in that of another."""
        return os.path.relpath(f"{target}.md", os.path.dirname(page) or ".")

    def follow_links(self, text, source, page):
        """The text of the Markdown file `source` for `page`: links to files of the project become links to pages."""
        def changed(target):
            if re.match(r"[a-z]+:|#", target):
                return None
            name, mark, place = target.partition("#")
            found = self.link(page, (source.parent / name).resolve())
            if found is None:
                self.lost.append(f"{source.relative_to(self.root)}: nothing is at {target}")
                return "#"
            return f"{found}{mark}{place}"
        return change_links(text, changed)

    def _code_page(self, path):
        if path in self._code:
            return self._code[path]
        self._code[path] = None
        try:
            name = path.relative_to(self.root)
            if name.parts[0] in ("build", "results") or not path.exists():
                return None
            if path.is_dir():
                return self._folder_page(path, name)
            if path.stat().st_size > LARGEST_FILE:
                return None
            code = path.read_text(encoding="utf-8")
        except (ValueError, OSError):
            return None
        page = self._code[path] = f"code/{name}"
        about = ""
        if path in self.headers:
            about = f"In the reference: [{name.name}]({self.between(page, self.headers[path])}).\n\n"
        about += self.included(code, page, path)
        self.pages.text(f"{page}.md", front_matter(orphan="true", nosearch="true") + f"# {name}\n\n{about}"
                        + fenced(LANGUAGES.get(path.suffix, "text"), code))
        return page

    def _folder_page(self, path, name):
        page = self._code[path] = f"code/{name}/index"
        files = "".join(f"- `{file.name}`\n" for file in sorted(path.iterdir()) if not file.name.startswith("."))
        self.pages.text(f"{page}.md", front_matter(orphan="true", nosearch="true")
                        + f"# {name}\n\nThe files of this folder:\n\n{files}")
        return page

    def included(self, code, page, path):
        """A line with the project's headers that the code includes from its own chapter."""
        chapter = next((folder for folder in path.parents if folder.parent == self.root / "chapters"), None)
        if chapter is None:
            return ""
        names = [chapter / name for name in re.findall(r'^#include "([^"]+)"', code, re.MULTILINE)]
        links = [f"[`{file.relative_to(chapter)}`]({self.link(page, file)})" for file in names if file.is_file()]
        return f"It includes {', '.join(links)}.\n\n" if links else ""
