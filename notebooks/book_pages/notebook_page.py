"""An executed notebook as a page of the book: its words, its figures and tables; its code is folded away."""
import base64
import hashlib
import html
import json
import os
import re
from urllib.parse import quote

from attention_plots.results import Chapter

from .attached import FOLDER
from .origins import not_measured
from .pages import fenced, raw

PAGE_BESIDE = re.compile(r"\[([^\]]+)\]\(([\w./-]+\.html)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def _text(value):
    return value if isinstance(value, str) else "".join(value)


class _Page:
    def __init__(self, site, page, folder):
        self.site, self.page, self.folder, self.text, self.heading = site, page, folder, "", ""
        # The figures that the notebook saved have names; what it shows is told by its content.
        self.names = {hashlib.sha256(file.read_bytes()).digest(): file.stem for file in (folder / "figures").glob("*.png")}

    def markdown(self, text):
        found = HEADING.findall(text)
        self.heading = found[-1] if found else self.heading
        self.words(text)

    def words(self, text):
        self.text += PAGE_BESIDE.sub(self.page_beside, text).strip() + "\n\n"

    def page_beside(self, link):
        """A link to a page that lies beside the notebook's results: it lies among the attached ones here."""
        target = self.folder / link[2]
        if not target.is_file():
            return link[0]
        address = os.path.relpath(f"{FOLDER}/{target.relative_to(self.site.results)}", os.path.dirname(self.page))
        return f'<a href="{quote(address)}">{html.escape(link[1])}</a>'

    def code(self, source):
        if source.strip():
            self.text += (raw('<details class="cell"><summary>The code of this part</summary>')
                          + fenced("python", source) + "\n"
                          + raw("</details>"))

    def output(self, output):
        data = output.get("data", {})
        if "image/png" in data:
            self.picture(base64.b64decode(_text(data["image/png"])))
        elif "text/markdown" in data:
            # A heading that a cell makes stays below those of the page.
            self.words(re.sub(r"^#+ ", "### ", _text(data["text/markdown"]), flags=re.MULTILINE))
        elif "text/html" in data:
            self.text += raw(_text(data["text/html"]))
        elif "text/plain" in data or "text" in output:
            self.text += fenced("text", _text(data.get("text/plain") or output["text"])) + "\n"

    def picture(self, content):
        name = self.names.get(hashlib.sha256(content).digest()) or hashlib.sha256(content).hexdigest()[:12]
        folder = self.page.rpartition("/")[0]
        self.site.pages.bytes(f"{folder}/figures/{name}.png", content)
        words = re.sub(r"[\[\]`$\\]", "", self.heading)
        words = f"Figure {name.replace('_', ' ')}: {words}. The text beside it says what to see."
        self.text += f"![{words}](figures/{name}.png)\n\n"


def write_notebook(site, chapter, page):
    """The page of a chapter's notebook, as it was executed on these results. Whether there is one."""
    if not list((site.root / "notebooks").glob(f"{chapter[:2]}_*.ipynb")):
        return False
    folder = Chapter(chapter, site.results, site.mode).folder
    made = _Page(site, page, folder)
    try:
        cells = json.loads((folder / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        number = int(chapter[:2])
        remedy = not_measured(f"the figures of {chapter} have not been drawn: ./course run {chapter[:2]} draws them")
        site.pages.text(f"{page}.md", f"# Figures of chapter {number}\n\n{remedy}\n")
        return True
    for cell in cells:
        if cell["cell_type"] == "markdown":
            made.markdown(_text(cell["source"]))
        elif cell["cell_type"] == "code":
            for output in cell.get("outputs", []):
                made.output(output)
            made.code(_text(cell["source"]))
    # The lesson has the title; this page has its figures.
    text = re.sub(r"\A# +(?:Chapter \d+: *)?(.+)$", rf"# Figures of chapter {int(chapter[:2])}: \1", made.text, count=1,
                  flags=re.MULTILINE)
    site.pages.text(f"{page}.md", text)
    return True
