"""Figures and tables from results onto the page, and figures into files."""
import contextlib

from IPython.display import Image, Markdown, display

from .files import save_figure
from .results import Missing


def save(chapter, name, figure):
    """Writes the figure as SVG and PNG into the figures/ of the chapter's results, each whole or not at all, and closes
    it. Returns the PNG file."""
    folder = chapter.folder / "figures"
    save_figure(folder, name, figure)
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
