"""Where figures come from, for the book: machine, date and version under every block, and a page with all of it."""
import re

from attention_plots.results import Missing, Chapter, description, origin
from attention_plots.tables import amount, number, table

VERSION = re.compile(r"[0-9A-Za-z._-]{1,60}")


def version(folder):
    """The version of the course that measured what is in a folder of results: what the driver noted down, else the program's
    own sum; "" where there is neither."""
    try:
        noted = (folder / ".version").read_text(encoding="utf-8").strip()
        return f"course {noted}" if VERSION.fullmatch(noted) else ""
    except OSError:
        pass
    try:
        run = (folder / ".run").read_text(encoding="utf-8")
    except OSError:
        return ""
    program = re.match(r"program ([0-9a-f]{12})", run)
    return f"program {program[1]}" if program else ""


def libraries(machine):
    """Versions of what the programs were built with."""
    openblas = machine.get("openblas")
    found = [f"xtensor {machine['xtensor']}"] if machine.get("xtensor") else []
    return found + ([f"OpenBLAS {openblas['version']} ({openblas['core']})"] if openblas else [])


def source(document, chapter):
    """The line below a block."""
    machine = document.get("machine", {})
    pieces = origin(document)
    if machine.get("date"):
        pieces[-1] = f"{machine['date'][:10]} {machine['date'][11:16]} UTC"
    return ", ".join(pieces + libraries(machine) + [text for text in (version(chapter.folder),) if text])


def note(document, chapter):
    """The line below a table that the book makes itself; as measured_blocks has it."""
    about = description(document)
    kind = ", in a quick run" if about.get("mode") == "quick" else ""
    kind += ", on generated stand-in data" if about.get("data") == "stand_in" else ""
    return f"*Measured on {source(document, chapter)}{kind}.*"


def not_measured(reason):
    """What stands in the place of figures that are not there."""
    return f"*Not measured here yet. {str(reason).rstrip('.')}.*"


def _chapter_row(chapter):
    try:
        summary = chapter.read("summary")
    except Missing:
        return [chapter.name[:2], "not measured yet", "", "", "", f"`./course run {chapter.name[:2]}`"]
    machine = summary["machine"]
    return [chapter.name[:2], machine["cpu"], f"{machine['date'][:10]} {machine['date'][11:16]} UTC",
            ", ".join([machine["compiler"], *libraries(machine)]), version(chapter.folder),
            f"{summary['mode']} run, {'real data' if summary['data'] == 'real' else 'generated stand-in data'}"]


def _roof_rows(document):
    for entry in document.get("machine", {}).get("roofs", []):
        for name, roof in entry.items():
            if isinstance(roof, dict) and "best" in roof:
                yield [name, str(entry["threads"]),
                       f"{number(roof['best'] / 1e9)} · 10⁹ {roof.get('unit', 'a second')}"]


def machine_page(site, chapters):
    """The page of what was measured where."""
    found = [Chapter(name, site.results, site.mode) for name in chapters]
    text = ("# Where this was measured\n\nEvery table in this book comes from result files below `results/`, which the "
            "chapters' programs "
            "write. The line below a table says where and when.\n\n")
    text += table(["chapter", "processor", "when", "compiler and libraries", "version", "kind"],
                  map(_chapter_row, found)) + "\n\n"
    for chapter in found:
        try:
            document = chapter.read("ladder")
            machine = document["machine"]
        except (Missing, KeyError):
            continue
        caches = ", ".join(f"{level.upper()} {amount(cache['bytes'])}" for level,
                           cache in (machine.get("caches") or {}).items() if cache)
        rows = [["processor", machine["cpu"]], ["cores", str(machine["cpus_available"])], ["caches", caches],
                ["memory", amount(machine.get("memory_bytes", 0))], *([name, machine.get(key, "")] for name, key in
                                                                      (("system", "operating_system"),
                                                                       ("kernel", "kernel"), ("compiler", "compiler"))),
                ["flags", f"`{machine.get('flags', '')}`"], ["libraries", ", ".join(libraries(machine))]]
        text += f"## Machine of chapter {int(chapter.name[:2])}\n\n" + table(["what", "is"], rows) + "\n\n"
        roofs = list(_roof_rows(document))
        if roofs:
            text += "Its roofs, measured in the same run:\n\n" + table(["roof", "threads", "best"], roofs) + "\n\n"
    site.pages.text("machine.md", text)
