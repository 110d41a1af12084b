"""The folder of pages that Sphinx reads: only what changed is written anew, so that only that is built anew."""
import shutil


class Pages:
    """Text and files below `folder`. finish() removes what an earlier call left and this one did not write."""

    def __init__(self, folder):
        self.folder = folder
        self._kept = set()

    def text(self, name, text):
        """Writes the page or file `name` (a path below the folder)."""
        self.bytes(name, text.encode("utf-8", errors="replace"))

    def bytes(self, name, content):
        path = self.folder / name
        self._kept.add(path)
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def has(self, name):
        return self.folder / name in self._kept

    def finish(self):
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if path.is_file() and path not in self._kept:
                path.unlink()
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def front_matter(**fields):
    """The head of a Markdown page: what Sphinx is told about it."""
    return "---\n" + "".join(f"{key}: {value}\n" for key, value in fields.items()) + "---\n"


def contents(*pages, caption=None, hidden=True, depth=1):
    """A table of contents of these pages, for the side bar and the order of reading."""
    lines = ["```{toctree}", f":maxdepth: {depth}"]
    if hidden:
        lines.append(":hidden:")
    if caption:
        lines.append(f":caption: {caption}")
    return "\n".join([*lines, "", *pages, "```", ""])


def fenced(language, code):
    """Code in a fence that is longer than any in it."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}{language}\n{code.rstrip()}\n{fence}\n"


def raw(text):
    """HTML within Markdown; nothing for nothing."""
    return f"````{{raw}} html\n{text}\n````\n\n" if text else ""


def publish(built, target):
    """Puts a copy of the finished site where readers look, in one step: never a half one, nothing of an older one."""
    new, old = (target.with_name(f".{target.name}.{kind}.tmp") for kind in ("new", "old"))
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    try:
        shutil.copytree(built, new, ignore=shutil.ignore_patterns(".buildinfo", ".doctrees", "objects.inv"))
        if target.exists():
            target.rename(old)
        new.rename(target)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
