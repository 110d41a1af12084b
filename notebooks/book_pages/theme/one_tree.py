"""The tree of all pages, which stands beside every page, made once. Sphinx makes it anew for each of them, which took four fifths of
the time to bind the book. Between two pages it differs by the links, which start from the page's own folder, and by the marks of the
page and of what it lies in."""
import posixpath
import re
from typing import NamedTuple

# What changes from page to page: lists and their items, and links.
PART = re.compile(r'<(ul|li)(?: class="([^"]*)")?>|</(?:ul|li)>|<a class="([^"]*)" href="([^"#]*)(#[^"]*)?">')


class Box(NamedTuple):
    """A list or an item of one."""
    name: str
    classes: str
    above: int  # the part that it lies in; −1 for none


class Link(NamedTuple):
    classes: str
    target: str  # from the root
    anchor: str
    above: int


def _without_mark(classes):
    return " ".join(name for name in (classes or "").split() if name != "current")


def _attribute(*classes):
    text = " ".join(name for name in classes if name)
    return f' class="{text}"' if text else ""


class Tree:
    """Made of the HTML that Sphinx gave for one page."""

    def __init__(self, html, page):
        self.texts = []  # before each part, and one behind the last
        self.parts = []  # Box, Link, or the text of an end
        self.entry = {}  # target to the number of the link that is its entry
        end, inside = 0, [-1]
        for match in PART.finditer(html):
            self.texts.append(html[end:match.start()])
            end = match.end()
            name, classes, link_classes, target, anchor = match.groups()
            if name:
                self.parts.append(Box(name, _without_mark(classes), inside[-1]))
                inside.append(len(self.parts) - 1)
            elif link_classes is None:
                self.parts.append(match[0])
                inside.pop()
            else:
                self._add_link(_without_mark(link_classes), target, anchor or "", page, inside[-1])
        self.texts.append(html[end:])

    def _add_link(self, classes, target, anchor, page, above):
        if target:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        else:  # from a page to itself Sphinx leads by "#"
            target, anchor = page + ".html", anchor.removesuffix("#") if anchor == "#" else anchor
        if not anchor:
            self.entry.setdefault(target, len(self.parts))
        self.parts.append(Link(classes, target, anchor, above))

    def html(self, page):
        """The tree as it stands beside `page`."""
        own = self.entry.get(page + ".html", -1)
        marked, at = set(), own
        while at >= 0:
            marked.add(at)
            at = self.parts[at].above
        folder = posixpath.dirname(page) or "."
        written = [self.texts[0]]
        for number, (part, text) in enumerate(zip(self.parts, self.texts[1:])):
            mark = "current" if number in marked else ""
            if isinstance(part, Box):
                # Sphinx writes the mark of a box behind its other classes, that of a link before them.
                part = f"<{part.name}{_attribute(part.classes, mark)}>"
            elif isinstance(part, Link):
                itself = part.target == page + ".html"
                where = (part.anchor or "#") if itself else posixpath.relpath(part.target, folder) + part.anchor
                part = f'<a{_attribute(mark, part.classes)} href="{where}">'
            written += (part, text)
        return "".join(written)


def page_context(app, pagename, templatename, context, doctree):
    make = context.get("toctree")
    if make is None:
        return

    def once(**options):
        key = tuple(sorted(options.items()))
        if key not in app.one_tree:
            app.one_tree[key] = Tree(make(**options), pagename)
        return app.one_tree[key].html(pagename)

    context["toctree"] = once


def setup(app):
    app.one_tree = {}
    # Before the theme asks for the tree.
    app.connect("html-page-context", page_context, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
