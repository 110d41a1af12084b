"""Figures and tables from results onto the page, and figures into files."""
import contextlib
import os

import matplotlib.pyplot as plt
from IPython.display import Image, Markdown, display

from .results import Missing


def save(chapter, name, figure):
    """Writes the figure as SVG and PNG into the figures/ of the chapter's results, each whole or not at all, and closes
    it. Returns the PNG file."""
    folder = chapter.folder / "figures"
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
    return folder / f"{name}.png"


def draw(chapter, name, figure):
    """Saves the figure and shows it."""
    display(Image(filename=str(save(chapter, name, figure))))


def say(*paragraphs):
    """Shows Markdown."""
    display(Markdown("\n\n".join(paragraphs)))


@contextlib.contextmanager
def measured():
    """Around the code of a cell: where a result is not there, one sentence says so in its place."""
    try:
        yield
    except Missing as reason:
        say(f"*Not measured here yet. {reason}.*")
