"""What changed from one file to the next, line by line, as HTML in the colours of the language."""
import difflib
import html

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import CppLexer


def _lines(code):
    """Highlighted lines of C++, one for each line of the code."""
    if not code.strip():
        return []
    marked = highlight(code, CppLexer(stripnl=False, ensurenl=True), HtmlFormatter(nowrap=True))
    return marked.rstrip("\n").split("\n") if not code.endswith("\n\n") else marked.split("\n")[:-1]


def rows(before, after, context=3):
    """(mark, old line number, new line number, HTML) of a unified difference; a mark "@" stands for lines that are the same
    and left out."""
    old, new = before.splitlines(), after.splitlines()
    old_html, new_html = _lines(before), _lines(after)
    assert len(old_html) == len(old) and len(new_html) == len(new), "a highlighted line for each line"
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context)
    end = 0
    for group in blocks:
        if group[0][1] > end or group[0][3] > 0 and end == 0:
            yield "@", None, None, f"{group[0][1] - end} lines as before"
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for i, j in zip(range(i1, i2), range(j1, j2)):
                    yield " ", i + 1, j + 1, new_html[j]
                continue
            for i in range(i1, i2):
                yield "-", i + 1, None, old_html[i]
            for j in range(j1, j2):
                yield "+", None, j + 1, new_html[j]
        end = group[-1][2]
    if 0 < end < len(old):
        yield "@", None, None, f"{len(old) - end} lines as before"


WORDS = {"-": "removed", "+": "added"}


def difference_html(before, after, label):
    """The difference as one table: marks stand in the text, so that neither colour nor sight is needed to tell them."""
    found = list(rows(before, after))
    counts = {mark: sum(row[0] == mark for row in found) for mark in "+-"}
    lines = []
    for mark, old, new, code in found:
        if mark == "@":
            lines.append(f'<tr class="skipped"><td></td><td></td><td></td><td>{html.escape(code)}</td></tr>')
            continue
        kind = f' class="{WORDS[mark]}"' if mark in WORDS else ""
        spoken = f'<span class="unseen">{WORDS[mark]}: </span>' if mark in WORDS else ""
        lines.append(f"<tr{kind}><td>{old or ''}</td><td>{new or ''}</td><td>{mark.strip()}</td>"
                     f"<td>{spoken}<code>{code}</code></td></tr>")
    body = "\n".join(lines)
    return (f'<p>{counts["+"]} lines added, {counts["-"]} removed.</p>\n'
            f'<div class="difference highlight" role="region" tabindex="0" aria-label="{html.escape(label)}">\n'
            '<table><thead class="unseen"><tr><th>line before</th><th>line after</th><th>change</th><th>code</th></tr></thead>\n'
            f"<tbody>\n{body}\n</tbody></table>\n</div>")
