"""Files that are written whole or not at all, and what a program says when that cannot be."""
import os
import sys
from pathlib import Path

import matplotlib.pyplot as plt

from .results import Missing


def write(path, text):
    """Text in UTF-8; what is not Unicode becomes a question mark."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.tmp.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", errors="replace")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def save_figure(folder, name, figure):
    """FOLDER/name.svg and .png, and closes the figure. The folder is made where it is not there."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    # "tight" would draw the figure once more for each of the two files.
    box = figure.get_tightbbox().padded(0.1)
    for kind in ("svg", "png"):
        temporary = folder / f".{name}.tmp.{os.getpid()}.{kind}"
        try:
            figure.savefig(temporary, bbox_inches=box)
            os.replace(temporary, folder / f"{name}.{kind}")
        finally:
            temporary.unlink(missing_ok=True)
    plt.close(figure)


def exit_status(work, source="the results", remedy="measure again"):
    """Runs work(): 0; 2 and one line where something is missing from `source`, or cannot be read or written."""
    try:
        work()
    except Missing as reason:
        print(f"course: {reason}", file=sys.stderr)
    except (KeyError, TypeError, AttributeError) as error:
        print(f"course: {source} lacks {error}: {remedy}", file=sys.stderr)
    except OSError as error:
        print(f"course: {error.filename}: {error.strerror}", file=sys.stderr)
    else:
        return 0
    return 2
