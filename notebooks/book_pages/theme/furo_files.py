"""Some packages of Furo take a style sheet from a server's root and a script as a module, and neither can be had from file://.
Here both are put into the files that need them."""
import re
from pathlib import Path

NORMALIZE = Path("/usr/share/javascript/normalize.css/normalize.css")
IMPORT_STYLE = re.compile(r"@import url\(/javascript/normalize\.css/normalize\.css\);")
IMPORT_SCRIPT = re.compile(r'^import Gumshoe from "\./gumshoe-patched\.js";\n', re.MULTILINE)


def repair(app, error):
    static = Path(app.outdir) / "_static"
    style, script, gumshoe = (static / name
                              for name in ("styles/furo.css", "scripts/furo.js", "scripts/gumshoe-patched.js"))
    if error is not None or not style.exists() or not script.exists():
        return
    text = style.read_text(encoding="utf-8")
    if IMPORT_STYLE.search(text):
        normal = NORMALIZE.read_text(encoding="utf-8") if NORMALIZE.exists() else ""
        style.write_text(IMPORT_STYLE.sub(lambda _: normal, text), encoding="utf-8")
    text = script.read_text(encoding="utf-8")
    if IMPORT_SCRIPT.search(text) and gumshoe.exists():
        # Loaded by itself, Gumshoe makes itself known to all scripts.
        script.write_text(gumshoe.read_text(encoding="utf-8") + IMPORT_SCRIPT.sub("", text), encoding="utf-8")


def setup(app):
    app.connect("build-finished", repair)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
