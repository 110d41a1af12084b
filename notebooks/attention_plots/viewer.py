"""One HTML file to look at attention records in a browser: everything it needs is in it."""
import base64
import html
import json
import re
from pathlib import Path

import numpy as np

from .files import write
from .results import Missing, origin

_PARTS = Path(__file__).resolve().parent / "viewer"
_MOST_WEIGHTS = 40_000_000  # of all records together: a page of about 100 MB


def _text(values):
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _side(side):
    """A side of a record as the page takes it: pixels as bytes."""
    found = {key: side[key] for key in ("kind", "count", "labels", "grid") if side.get(key) is not None}
    pixels = side.get("pixels")
    if pixels is not None:
        if pixels.dtype != np.uint8:
            pixels = np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
        first = 0 if side["kind"] == "image" else 1
        found["pixels"] = {"shape": list(pixels.shape[first:first + 2]), "colour": pixels.ndim == first + 3, "data": _text(pixels)}
    return found


def packed(record, name, chapter=""):
    """A record as the page takes it: weights as 16-bit shares of their head's largest."""
    weights = record["weights"]
    largest = weights.max(axis=(2, 3))
    scale = np.where(largest > 0, largest, 1)[:, :, None, None]
    return {"name": name, "chapter": chapter, "title": record["title"], "layers": weights.shape[0], "heads": weights.shape[1],
            "queries": _side(record["queries"]), "keys": _side(record["keys"]), "largest": [float(w) for w in largest.ravel()],
            "weights": _text(np.round(np.clip(weights, 0, None) / scale * 65535).astype("<u2"))}


def write_viewer(file, title, introduction, records, found):
    """Writes the page. `records` are what packed() gives, `introduction` is HTML, `found` the result file that says where they
    were made. Raises Missing where they are too many for a page."""
    count = sum(len(record["weights"]) for record in records) * 3 // 8
    if count > _MOST_WEIGHTS:
        raise Missing(f"{count} weights are too many for one page, which takes {_MOST_WEIGHTS}")
    # A title or a label may hold "</script>".
    data = json.dumps(records, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {"TITLE": html.escape(title), "INTRODUCTION": introduction, "ORIGIN": "Made on " + html.escape(", ".join(origin(found))) + ".",
             "STYLE": (_PARTS / "page.css").read_text(encoding="utf-8"), "SCRIPT": (_PARTS / "page.js").read_text(encoding="utf-8"),
             "RECORDS": data}
    # In one pass: what a reader has written is never taken for a name.
    page = re.sub("@([A-Z]+)@", lambda match: parts[match[1]], (_PARTS / "page.html").read_text(encoding="utf-8"))
    write(file, page)


def records_of_page(chapter):
    """The records that the chapter's page.json names, packed, and the file itself."""
    page = chapter.read("page")
    return [packed(chapter.record_at(entry["file"]), entry["name"], entry["chapter"]) for entry in page["records"]], page
