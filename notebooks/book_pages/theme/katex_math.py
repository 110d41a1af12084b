"""Mathematics by KaTeX, copied into the site: its fonts stand within its style sheet, since a browser may refuse to fetch
fonts from file://. Without KaTeX, and without a script, formulas stand as they were typed."""
import base64
import re
from pathlib import Path

from docutils import nodes
from sphinx.util.fileutil import copy_asset_file

KATEX = Path("/usr/share/javascript/katex")
FONT = re.compile(r"src:url\(fonts/([A-Za-z0-9_-]+\.woff2)\)[^;}]*")


def _escaped(writer, node):
    return writer.encode(node.astext()).strip()


def inline(writer, node):
    writer.body.append(f'<span class="math notranslate nohighlight">{_escaped(writer, node)}</span>')
    raise nodes.SkipNode


def block(writer, node):
    writer.body.append(f'<div class="math notranslate nohighlight" tabindex="0">{_escaped(writer, node)}</div>\n')
    raise nodes.SkipNode


def _font(match):
    content = base64.b64encode((KATEX / "fonts" / match[1]).read_bytes()).decode()
    return f'src:url(data:font/woff2;base64,{content}) format("woff2")'


def copy_katex(app, error):
    if error is None and (KATEX / "katex.min.js").exists():
        static = Path(app.outdir) / "_static"
        copy_asset_file(str(KATEX / "katex.min.js"), str(static))
        style = (KATEX / "katex.min.css").read_text(encoding="utf-8")
        (static / "katex.css").write_text(FONT.sub(_font, style), encoding="utf-8")


def setup(app):
    app.add_html_math_renderer("katex", (inline, None), (block, None))
    app.config.html_math_renderer = "katex"
    if (KATEX / "katex.min.js").exists():
        app.add_css_file("katex.css")
        app.add_js_file("katex.min.js")
    app.connect("build-finished", copy_katex)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
