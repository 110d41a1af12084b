"""Executes notebooks, several at a time, and leaves each one's page, the executed notebook and its figures in its chapter's folder of results.

    python3 draw_notebooks.py NOTEBOOK FOLDER SIGNATURE [NOTEBOOK FOLDER SIGNATURE ...]

A page appears in FOLDER only when its notebook has run to the end. FOLDER/.drawn then holds SIGNATURE, which tells a later
call that nothing has changed. Ends with status 1, naming them, where notebooks failed.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def draw(notebook, folder, signature):
    """Returns the output of a notebook that failed, None for one that did not."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".notebook.tmp.", dir=folder) as temporary:
        executed = pathlib.Path(temporary, notebook.name)
        # The executed notebook is kept as well: the book makes a page of its own of it.
        for source, arguments in ((notebook, ["notebook", "--execute", "--ExecutePreprocessor.timeout=1200"]), (executed, ["html"])):
            command = [sys.executable, "-m", "nbconvert", "--output-dir", temporary, str(source), "--to", *arguments]
            found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if found.returncode != 0:
                return found.stdout
        for made in (executed, executed.with_suffix(".html")):
            shutil.move(made, folder / made.name)
    mark = folder / f".drawn.tmp.{os.getpid()}"
    mark.write_text(signature + "\n")
    mark.rename(folder / ".drawn")
    return None


def main(arguments):
    work = [(pathlib.Path(arguments[i]), pathlib.Path(arguments[i + 1]), arguments[i + 2]) for i in range(0, len(arguments), 3)]
    # The one with most to draw first: it would keep the others waiting at the end.
    work.sort(key=lambda each: -sum(file.stat().st_size for file in each[1].glob("*.json")))
    failed = []
    with concurrent.futures.ThreadPoolExecutor(max(1, min(len(work), os.cpu_count() or 1))) as pool:
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
