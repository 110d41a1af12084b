"""Executes notebooks, several at a time, and leaves each one's page, the executed notebook and its figures in its chapter's folder of results.

    python3 draw_notebooks.py NOTEBOOK FOLDER SIGNATURE [NOTEBOOK FOLDER SIGNATURE ...]

A page appears in FOLDER only when its notebook has run to the end. FOLDER/.drawn then holds SIGNATURE, which tells a later
call that nothing has changed. Ends with status 1, naming them, where notebooks failed.
"""

import concurrent.futures
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile
import traceback

import nbformat
from nbconvert.exporters import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor


def execute(notebook, folder):
    """The executed notebook and its page in `folder`, under the notebook's name."""
    content = nbformat.read(notebook, as_version=4)
    ExecutePreprocessor(timeout=1200).preprocess(content, {"metadata": {"path": str(notebook.parent)}})
    # The executed notebook is kept as well: the book makes a page of its own of it.
    nbformat.write(content, folder / notebook.name)
    page, _ = HTMLExporter().from_notebook_node(content, {"metadata": {"name": notebook.stem}})
    (folder / notebook.name).with_suffix(".html").write_text(page, encoding="utf-8")


def draw(notebook, folder, signature):
    """Returns what a notebook that failed says of it, None for one that did not."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".notebook.tmp.", dir=folder) as temporary:
        made = pathlib.Path(temporary)
        try:
            execute(notebook, made)
        except Exception:  # whatever it was, the others are drawn
            return traceback.format_exc()
        for file in made.iterdir():
            shutil.move(file, folder / file.name)
    mark = folder / f".drawn.tmp.{os.getpid()}"
    mark.write_text(signature + "\n")
    mark.rename(folder / ".drawn")
    return None


def main(arguments):
    work = [(pathlib.Path(arguments[i]), pathlib.Path(arguments[i + 1]), arguments[i + 2]) for i in range(0, len(arguments), 3)]
    # The one with most to draw first: it would keep the others waiting at the end.
    work.sort(key=lambda each: -sum(file.stat().st_size for file in each[1].glob("*.json")))
    failed = []
    # Forked: what it takes seconds to import is imported once, not once for each notebook.
    with concurrent.futures.ProcessPoolExecutor(max(1, min(len(work), os.cpu_count() or 1)),
                                                multiprocessing.get_context("fork")) as pool:
        running = {pool.submit(draw, *each): each[0].name for each in work}
        for done in concurrent.futures.as_completed(running):
            output = done.result()
            if output is not None:
                failed.append(running[done])
                print(output)
            print(f"{running[done]}: {'failed' if output is not None else 'drawn'}", flush=True)
    if failed:
        print(f"failed: {', '.join(sorted(failed))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
