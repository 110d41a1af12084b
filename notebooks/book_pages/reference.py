"""The reference of the public headers: what Doxygen read in them, a page for each folder.

Doxygen reads C++; its XML is put into words here, since what makes pages of it for Sphinx takes longer than all the rest
of the book and takes the headers' formulas for markup."""
import html
import re
import shutil
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from measured_blocks import Fault

from .pages import contents, raw

SETTINGS = """
QUIET = YES
WARNINGS = NO
RECURSIVE = NO
FILE_PATTERNS = *.hpp
GENERATE_HTML = NO
GENERATE_LATEX = NO
GENERATE_XML = YES
XML_PROGRAMLISTING = NO
MARKDOWN_SUPPORT = YES
JAVADOC_AUTOBRIEF = NO
AUTOLINK_SUPPORT = NO
EXTRACT_ALL = YES
EXTRACT_STATIC = NO
MACRO_EXPANSION = NO
"""


def public_headers(root):
    """The public headers by the folder that they stand in: all below common/, and those on top of each chapter."""
    found = {}
    for file in [*sorted(root.glob("common/*/*.hpp")), *sorted(root.glob("chapters/[0-9][0-9]_*/*.hpp"))]:
        found.setdefault(file.parent, []).append(file)
    return found


def page_of(root, folder):
    return "reference/" + "_".join(folder.relative_to(root).parts)


def _inside(node):
    """The text of an element as HTML: paragraphs, code, lists; everything else by its words."""
    text = html.escape(node.text or "")
    for child in node:
        if child.tag == "computeroutput":
            text += f"<code>{html.escape(''.join(child.itertext()))}</code>"
        elif child.tag in ("verbatim", "preformatted", "programlisting"):
            code = _listing(child) if child.tag == "programlisting" else "".join(child.itertext())
            text += f"<pre>{html.escape(code.rstrip())}</pre>"
        elif child.tag == "para":
            text += f"<p>{_inside(child)}</p>"
        elif child.tag in ("itemizedlist", "orderedlist"):
            tag = "ul" if child.tag == "itemizedlist" else "ol"
            text += f"<{tag}>{''.join(f'<li>{_inside(item)}</li>' for item in child)}</{tag}>"
        elif child.tag in ("sp", "linebreak"):
            text += " "
        else:
            text += _inside(child)
        text += html.escape(child.tail or "")
    return text


def _listing(node):
    return "\n".join("".join((part.text or "")
                             + "".join(" " if piece.tag == "sp" else "".join(piece.itertext()) + (piece.tail or "")
                                                        for piece in part) for part in line.iter("highlight"))
                     for line in node.iter("codeline"))


def _words(node):
    """What is said about a thing, as HTML; "" where nothing is."""
    return "".join(_inside(part) for tag in ("briefdescription", "detaileddescription", "inbodydescription")
                   if (part := node.find(tag)) is not None).replace("<p></p>", "").strip()


def _plain(node, tag):
    found = node.find(tag)
    text = "" if found is None else " ".join("".join(found.itertext()).split())
    return re.sub(r"< (?=[\w:])", "<", text).replace(" >", ">") if tag in ("type", "argsstring", "definition") else text


def _template(node):
    found = node.find("templateparamlist")
    if found is None:
        return ""
    names = []
    for each in found.findall("param"):
        name = f"{_plain(each, 'type')} {_plain(each, 'declname')}".strip()
        names.append(name + (f" = {_plain(each, 'defval')}" if each.find("defval") is not None else ""))
    return f"template <{', '.join(names)}>\n"


def declaration(node):
    """The declaration of a member, as it could stand in the header."""
    kind, name, type_ = node.get("kind"), _plain(node, "name"), _plain(node, "type")
    if kind == "enum":
        values = ", ".join(_plain(value, "name") for value in node.findall("enumvalue"))
        return f"enum{' class' if node.get('strong') == 'yes' else ''} {name} {{ {values} }};"
    if kind == "typedef":
        return f"{_template(node)}using {name} = {type_.removeprefix('typedef ')};"
    if kind == "variable":
        value = _plain(node, "initializer")
        return f"{_template(node)}{type_} {name}{' ' + value if 0 < len(value) < 60 else ''};"
    return f"{_template(node)}{type_} {name}{_plain(node, 'argsstring')};".lstrip()


class _Thing:
    """A class, function, alias, enumeration or constant of a header."""

    def __init__(self, node, name, code, members=()):
        self.name, self.code, self.members = name, code, list(members)
        self.words = _words(node)
        location = node.find("location")
        self.file, self.line = Path(location.get("file", "")), int(location.get("line", "0"))


def _short(name):
    return name.removeprefix("attention::")


def _members(node):
    return [member for section in node.findall("sectiondef") if section.get("kind", "").startswith("public")
            or section.get("kind") == "user-defined" for member in section.findall("memberdef")
            if member.get("prot", "public") == "public"]


def _things(compound):
    """What one XML file of Doxygen describes."""
    kind, name = compound.get("kind"), _plain(compound, "compoundname")
    if "detail" in name.split("::") or "@" in name or "anonymous" in name:
        return
    if kind in ("class", "struct"):
        if compound.get("prot") == "public":
            yield _Thing(compound, _short(name), f"{_template(compound)}{kind} {name.rpartition('::')[2]};",
                         _members(compound))
    elif kind == "namespace":
        for section in compound.findall("sectiondef"):
            for member in section.findall("memberdef"):
                yield _Thing(member, _plain(member, "name"), declaration(member))


def doxygen():
    """The program; None where it is not installed."""
    return shutil.which("doxygen")


def read(root):
    """What stands in the headers, by header, in its order there; and what is said of namespaces, by folder."""
    with tempfile.TemporaryDirectory(prefix="reference.tmp.") as temporary:
        folders = " ".join(f'"{folder}"' for folder in public_headers(root))
        settings = f'{SETTINGS}INPUT = {folders}\nOUTPUT_DIRECTORY = "{temporary}"\n'
        done = subprocess.run([doxygen(), "-"], input=settings, text=True, check=False, cwd=temporary,
                              capture_output=True)
        if done.returncode != 0:
            reason = (done.stderr.strip() or "no word why").splitlines()[-1]
            raise Fault(f"Doxygen cannot read the headers: {reason[:200]}")
        found, spoken = {}, {}
        for file in sorted(Path(temporary, "xml").glob("*.xml")):
            compound = ElementTree.parse(file).getroot().find("compounddef")
            if compound is None:
                continue
            for thing in _things(compound):
                found.setdefault(thing.file, []).append(thing)
            if compound.get("kind") == "namespace" and (words := _words(compound)):
                spoken.setdefault(Path(compound.find("location").get("file")).parent, []).append(words)
    for things in found.values():
        things.sort(key=lambda thing: thing.line)
    return found, spoken


def _member_rows(members):
    rows = []
    for member in members:
        if member.get("kind") in ("function", "variable", "typedef", "enum"):
            rows.append(f"<dt><code>{html.escape(declaration(member))}</code></dt><dd>{_words(member)}</dd>")
    return f'<dl class="members">{"".join(rows)}</dl>' if rows else ""


def write_reference(site):
    """The pages of all headers; one that says so where Doxygen is not installed."""
    if doxygen() is None:
        site.pages.text("reference/index.md",
                        "# Reference\n\n*The headers have not been read: Doxygen is not installed. "
                        "`./course setup` installs it, `./course book` then makes these pages.*\n")
        return
    folders = public_headers(site.root)
    found, spoken = read(site.root)
    for folder, files in folders.items():
        page = page_of(site.root, folder)
        text = f"# {folder.relative_to(site.root)}\n\n" + "".join(map(raw, spoken.get(folder, [])))
        for file in files:
            text += f"## {file.name}\n\n[`{file.relative_to(site.root)}`]({site.link(page, file)})\n\n"
            for thing in found.get(file, []):
                text += f"### {html.escape(thing.name)}\n\n```cpp\n{thing.code}\n```\n\n"
                text += raw(thing.words + _member_rows(thing.members))
        site.pages.text(f"{page}.md", text)
    index = ("# Reference\n\nThe public headers: everything below `common/`, and what each chapter shows to the "
             "others. Shapes, units, errors and sources stand with each name.\n\n")
    for folder, files in folders.items():
        index += f"- [{folder.relative_to(site.root)}]({site.between('reference/index', page_of(site.root, folder))}): "
        index += ", ".join(f"`{file.name}`" for file in files) + "\n"
    names = [Path(page_of(site.root, folder)).name for folder in folders]
    site.pages.text("reference/index.md", f"{index}\n{contents(*names)}")
