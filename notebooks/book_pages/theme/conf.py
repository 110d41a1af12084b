"""How Sphinx makes the site: Markdown with mathematics, the theme, and nothing from any network."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

project = "Attention, Rung by Rung"
extensions = ["myst_parser", "katex_math", "cpp_lexer", "furo_files", "one_tree"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
# As on other renderers of Markdown, a link may name a heading.
myst_heading_anchors = 4
source_suffix = {".md": "markdown"}
exclude_patterns = ["_attached"]
html_theme = "furo"
html_title = project
html_static_path = ["static"]
# A server is asked for one by every browser, whether the site has it or not.
html_favicon = "static/favicon.svg"
templates_path = ["templates"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_use_index = False
html_domain_indices = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_permalinks_icon = "#"
pygments_style = "friendly"
pygments_dark_style = "native"
highlight_language = "text"
html_theme_options = {"navigation_with_keys": True, "top_of_page_button": None}
