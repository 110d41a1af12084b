#!/usr/bin/env python3
"""Binds the book: one website of lessons, rungs, figures and the headers' reference, with what was measured here.

    python3 book.py --results DIR --mode full|quick --mechanisms LIST.json --work DIR

LIST.json is what `./course list --json` prints. The pages go to WORK/pages, the site to WORK/site and, when it is
whole, to DIR/book. Exit status: 0 fine; 1 Sphinx found faults, a line each; 2 something to put right first, one line.
"""
import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from measured_blocks import Fault  # noqa: E402
from book_pages.attached import Attached  # noqa: E402
from book_pages.ladders import ladder_page, write_ladder, write_rung  # noqa: E402
from book_pages.lessons import written  # noqa: E402
from book_pages.notebook_page import write_notebook  # noqa: E402
from book_pages.origins import machine_page  # noqa: E402
from book_pages.pages import contents, publish  # noqa: E402
from book_pages.reference import doxygen, page_of, public_headers, write_reference  # noqa: E402
from book_pages.rungs import ladders  # noqa: E402
from book_pages.site import Site  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
THEME = Path(__file__).resolve().parent / "book_pages" / "theme"
NEEDED = {"sphinx": "python3-sphinx", "myst_parser": "python3-myst-parser", "furo": "furo"}
FURTHER = ["common/README.md", "common/autograd/README.md", "datasets/README.md", "notebooks/README.md",
           "bench/peers/README.md",
           "bench/conformance/README.md"]


def chapter_documents(folder):
    """The Markdown files of a chapter and their pages: the lesson, what stands beside it, its exercises."""
    base = f"chapters/{folder.name}"
    found = {folder / "README.md": f"{base}/lesson"}
    found.update({file: f"{base}/{file.stem.lower()}" for file in sorted(folder.glob("*.md"))
                  if file.name != "README.md"})
    for file in sorted(folder.glob("exercises/**/*.md")):
        name = "_".join(file.relative_to(folder / "exercises").with_suffix("").parts).lower()
        found[file] = f"{base}/exercises" if name == "readme" else f"{base}/exercises_{name.removesuffix('_readme')}"
    return found


def survey(site, mechanisms):
    """Tells the site which file stands on which page. The chapters' folders, the order of the ladders."""
    chapters = [file.parent for file in sorted(site.root.glob("chapters/[0-9][0-9]_*/README.md"))]
    site.documents[site.root / "README.md"] = "index"
    for folder in chapters:
        site.documents.update(chapter_documents(folder))
    for name in FURTHER:
        if (site.root / name).is_file():
            site.documents[site.root / name] = "further/" + name.removesuffix("/README.md").replace("/", "_")
    site.rungs, order = ladders(mechanisms, site.root)
    site.headers = {} if not doxygen() else {file: page_of(site.root, folder) for folder,
                                             files in public_headers(site.root).items() for file in files}
    return chapters, order


def write_chapter(site, folder, mechanisms, order):
    """All pages of one chapter."""
    name = folder.name
    documents = chapter_documents(folder)
    lesson = documents[folder / "README.md"]
    below = [page for page in documents.values() if page != lesson
             and not page.startswith(f"chapters/{name}/exercises")]
    for mechanism in mechanisms:
        if mechanism["chapter"] == name:
            write_ladder(site, mechanism, order[mechanism["name"]])
            below.append(ladder_page(mechanism))
    if write_notebook(site, name, f"chapters/{name}/figures"):
        below.append(f"chapters/{name}/figures")
    below += [page for page in documents.values() if page.startswith(f"chapters/{name}/exercises")]
    for path, page in documents.items():
        text = written(site, path, page, [name])
        exercises = documents.get(folder / "exercises" / "README.md")
        if page == lesson and exercises:
            text += ("\n## Exercises\n\nTo be solved by writing code, and checked by the tests: "
                     f"[the exercises]({site.between(page, exercises)}).\n")
        if page == lesson and below:
            text += "\n" + contents(*(Path(each).name for each in below))
        site.pages.text(f"{page}.md", text)
    for rung in site.rungs.values():
        if rung.file.parent.parent == folder:
            write_rung(site, rung, lesson)


def write_index(site, chapters):
    """The first page: the project's README, and the order of reading."""
    text = written(site, site.root / "README.md", "index", [folder.name for folder in chapters])
    further = [page for page in site.documents.values() if page.startswith("further/")]
    text += "\n" + contents(*(site.documents[folder / "README.md"] for folder in chapters), caption="Lessons")
    text += contents("machine", "attached_pages", caption="Measured")
    text += contents("reference/index", *further, caption="Reference")
    site.pages.text("index.md", text)


def write_pages(site, mechanisms):
    """The folder of pages, whole."""
    chapters, order = survey(site, mechanisms)
    names = [folder.name for folder in chapters]
    for folder in chapters:
        write_chapter(site, folder, mechanisms, order)
    for name in FURTHER:
        path = site.root / name
        if path in site.documents:
            site.pages.text(f"{site.documents[path]}.md", written(site, path, site.documents[path], names))
    machine_page(site, names)
    results = site.results
    ours = {results / name / part / f"{name}.html": f"chapters/{name}/figures" for name in names
            for part in ("", "quick")}
    ours.update({results / name / file.name: page for folder in chapters for name in [folder.name]
                 for file, page in chapter_documents(folder).items() if file.parent == folder})
    attached = Attached(site, ours)
    attached.collect(names)
    attached.write_page()
    write_index(site, chapters)
    write_reference(site)
    site.pages.finish()
    return [*site.lost]


def build(work):
    """Runs Sphinx. Its warnings, a line each; raises Fault where it fails."""
    warnings = work / "warnings.txt"
    warnings.unlink(missing_ok=True)
    # One more than there are cores: of those that write, Sphinx takes one off for itself.
    command = [sys.executable, "-m", "sphinx", "-q", "-j", str((os.cpu_count() or 1) + 1), "-w", str(warnings), "-d",
               str(work / "doctrees"),
               "-c", str(THEME), "-D", f"html_extra_path={work / 'pages' / '_attached'}", str(work / "pages"),
               str(work / "site")]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Fault(f"Sphinx failed: {(done.stderr.strip() or 'without a word').splitlines()[-1][:200]}")
    text = warnings.read_text(encoding="utf-8") if warnings.exists() else ""
    return [line.replace(str(work / "pages") + "/", "") for line in text.splitlines() if line.strip()]


def missing():
    """The packages of Sphinx that are not there."""
    return [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]


def bind(options):
    lacking = missing()
    if lacking:
        raise Fault(f"the book needs {', '.join(lacking)}; ./course setup installs what is missing")
    results = Path(options.results).resolve()
    try:
        mechanisms = json.loads(Path(options.mechanisms).read_text(encoding="utf-8"))["mechanisms"]
    except (ValueError, KeyError, TypeError):
        raise Fault(f"{options.mechanisms} is not what ./course list --json prints") from None
    work = Path(options.work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    site = Site(ROOT, results, options.mode, work / "pages")
    faults = write_pages(site, mechanisms) + build(work)
    publish(work / "site", results / "book")
    print(*(f"course: {fault}\n" for fault in faults), sep="", end="", file=sys.stderr)
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", required=True, metavar="DIR")
    parser.add_argument("--mode", choices=("full", "quick"), default="full")
    parser.add_argument("--mechanisms", required=True, metavar="FILE")
    parser.add_argument("--work", required=True, metavar="DIR")
    options = parser.parse_args()
    try:
        return bind(options)
    except Fault as fault:
        print(*(f"course: {line}\n" for line in str(fault).split("\n")), sep="", end="", file=sys.stderr)
    except OSError as error:
        # Of several files that cannot be copied, each is named within the error itself.
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)[:200]
        print(f"course: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
