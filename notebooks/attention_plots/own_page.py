"""The page of what a reader gave a program: his words, his sentences, his pictures."""
import html

from .files import write
from .results import origin

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem } img { max-width: 100%; height: auto } .small { font-size: 13px; color: #444 }
table { border-collapse: collapse; font-size: 14px } th, td { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #ccc }
td { overflow-wrap: anywhere }
"""


def remove_figures(chapter, pattern):
    """The figures of an earlier call go."""
    for old in (chapter.folder / "figures").glob(pattern):
        old.unlink()


def write_page(chapter, name, title, introduction, sections, found):
    """Writes the page NAME.html. `introduction` and `sections` are HTML; `found` is the result file that says where it was made."""
    write(chapter.folder / f"{name}.html", f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
{introduction}
{sections}<p class=small>Made on {html.escape(", ".join(origin(found)))}.</p>
</body></html>
""")
