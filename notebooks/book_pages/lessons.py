"""The Markdown files of the project as pages: lessons with this machine's figures, exercises, and more."""
import re

from measured_blocks import fill, finder

from .origins import source

OPENED = re.compile(r"^ {0,3}<!-- measured: .*? -->$", re.MULTILINE)
CLOSED = re.compile(r"^ {0,3}<!-- end -->$", re.MULTILINE)
# The box at the head of a lesson: a quotation before its first section, whose first words are "You need".
BOX = re.compile(r"\A(.*?)((?:^>[^\n]*\n)+)", re.DOTALL | re.MULTILINE)


def boxed(text):
    """The quotation at the head of a lesson as a box with a title."""
    head, mark, rest = text.partition("\n## ")
    found = BOX.match(head)
    if not found or not found[2].startswith("> **You need"):
        return text
    inside = re.sub(r"^> ?", "", found[2], flags=re.MULTILINE)
    return f"{found[1]}:::{{admonition}} This lesson\n:class: opening\n\n{inside}:::\n{head[found.end():]}{mark}{rest}"


def written(site, path, page, chapters):
    """The text of a Markdown file for its page: blocks filled from the results, each in a box, links to pages. Raises
    Fault where a block is not known."""
    where = str(path.relative_to(site.root))
    text = fill(path.read_text(encoding="utf-8"), where, finder(chapters, site.results, site.mode), False, source)
    text = site.follow_links(boxed(text), path, page)
    return CLOSED.sub("::::", OPENED.sub("::::{container} measured", text))
