"""The comparison as a document, and the document as Markdown and as a table for the terminal."""
import itertools

from . import judging
from .differences import differences
from .documents import Refused, base_name, in_threads, printable
from .pairs import beside, pair

# Marks of a row, each with what it means.
_SAMPLED = "* timed on a sample of the rows and scaled up"
_UNJUDGED = f"few runs: fewer than {judging.LEAST_RUNS} single times on a side, too few to tell a difference from chance; " \
            "./course bench --seconds 5 makes more"
_RULE = "faster, slower: the 95 % interval of B/A excludes 1, and the ratio is larger than the A/A spread of either run"


def heads(document):
    """The headings over _cells."""
    over = f" over {document['relative_to']}'s" if document["relative_to"] else ""
    return ["rung", "threads", "A", "B", f"B/A{over}", "95 % interval", "A/A", "share of roof", ""]


def _alone(entry, other, reason="not in the other"):
    return {"mechanism": entry.mechanism, "shape": entry.shape, "rung": entry.rung, "threads": entry.threads,
            "reason": f"skipped in the other: {other.reason}" if other else reason}


def _result(both, fail_above):
    a, b = both[:2]
    found = judging.judge(*both)
    return {"mechanism": a.mechanism, "shape": a.shape, "rung": a.rung, "threads": a.threads, "a_s": a.time_s, "b_s": b.time_s,
            "ratio": found.ratio, "low": found.low, "high": found.high, "aa_spread": found.aa_spread, "verdict": found.verdict,
            "runs_a": len(a.times_s), "runs_b": len(b.times_s), "sampled": "sampled" in (a.status, b.status),
            "roof_kind": b.roof_kind, "roof_share_a": a.roof_share, "roof_share_b": b.roof_share,
            "fails": fail_above is not None and found.slower_than(fail_above)}


def _about(document):
    said = {key: document.machine.get(key) for key in ("cpu", "compiler", "date")}
    return {"file": base_name(document), **{key: None if value is None else printable(value) for key, value in said.items()}}


def _moved(pairs, relative_to):
    """A library's rung, which nobody here changed, that took longer or shorter: then more than the code is different."""
    if relative_to is not None:
        return
    for a, b in pairs:
        if a.beside and judging.judge(a, b).verdict != judging.SAME and len(a.times_s) >= judging.LEAST_RUNS <= len(b.times_s):
            yield {"what": f"a library's own {a.rung} ({a.mechanism}, {a.shape}, {in_threads(a.threads)}), so the machine was not "
                           "equally busy, or the library is another (see --relative-to)",
                   "a": seconds(a.time_s), "b": seconds(b.time_s)}


def compare(a, b, fail_above=None, relative_to=None):
    """The whole comparison as a dictionary, which --json writes. Raises Refused where the two have nothing in common, or where
    `fail_above` is asked and nothing can be judged."""
    pairs, only_a, only_b = pair(a, b)
    if not pairs:
        raise Refused(f"{a.name} and {b.name} have no mechanism, rung, shape and number of threads in common")
    compared, alone = (pairs, []) if relative_to is None else beside(pairs, relative_to)
    if not compared:
        raise Refused(f"--relative-to: no rung '{printable(relative_to)}' stands beside others in both files")
    results = [_result(both, fail_above) for both in compared]
    if fail_above is not None and all(result["verdict"] == judging.UNJUDGED for result in results):
        raise Refused(f"--fail-above: no rung has {judging.LEAST_RUNS} single times in both files, so none can be judged; measure "
                      "again with a larger --seconds")
    return {"schema": 1, "a": _about(a), "b": _about(b), "confidence": judging.CONFIDENCE, "resamples": judging.RESAMPLES,
            "seed": judging.SEED, "fail_above": fail_above, "relative_to": None if relative_to is None else printable(relative_to),
            "differences": [*differences(a, b, pairs), *_moved(pairs, relative_to)],
            "only_in_a": [_alone(*each) for each in only_a], "only_in_b": [_alone(*each) for each in only_b],
            "not_compared": [_alone(each[0], None, f"no {printable(relative_to)} beside it") for each in alone], "results": results}


def seconds(value):
    """0.00123 → "1.23 ms"."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.0f} {unit}" if value >= 1000 * size else f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.3g} ns"


def factor(value):
    """A ratio with as many digits as there is noise to see: 0.952, 12.3."""
    return f"{value:.3f}" if value < 10 else f"{value:.3g}"


def interval(result):
    """The interval in words; nothing where there is none."""
    return "" if result["low"] is None else f"{factor(result['low'])} – {factor(result['high'])}"


def _cells(result):
    return [result["rung"] + (" *" if result["sampled"] else ""), str(result["threads"]), seconds(result["a_s"]),
            seconds(result["b_s"]), factor(result["ratio"]), interval(result), f"{100 * result['aa_spread']:.1f} %",
            f"{100 * result['roof_share_a']:.1f} → {100 * result['roof_share_b']:.1f} % {result['roof_kind']}",
            result["verdict"] + (" !" if result["fails"] else "")]


def groups(document):
    """The results by mechanism and shape: pairs of a heading and a list."""
    for (mechanism, shape), found in itertools.groupby(document["results"], lambda each: (each["mechanism"], each["shape"])):
        yield f"{mechanism}, {shape}", list(found)


def _origin(side, about):
    return f"{side}: " + ", ".join(str(part) for part in (about["file"], about["cpu"], about["compiler"], about["date"]) if part)


def _warnings(document):
    """What differs besides the code, and what is in one file only: a line each."""
    lines = [f"{each['what']}: A {each['a']}, B {each['b']}" for each in document["differences"]]
    for words, listed in (("only in A", "only_in_a"), ("only in B", "only_in_b"), ("not compared", "not_compared")):
        by = {}
        for each in document[listed]:
            key = each["mechanism"], each["shape"], each["threads"], each["reason"]
            by.setdefault(key, []).append(each["rung"])
        lines += [f"{words}: {', '.join(rungs)} ({mechanism}, {shape}, {in_threads(threads)}; {reason})"
                  for (mechanism, shape, threads, reason), rungs in by.items()]
    return lines


def summary(document):
    """How many were faster, slower, neither: one sentence, with what chance alone would mark."""
    counts = {verdict: sum(result["verdict"] == verdict for result in document["results"])
              for verdict in (judging.FASTER, judging.SLOWER, judging.SAME, judging.UNJUDGED)}
    judged = len(document["results"]) - counts[judging.UNJUDGED]
    words = f"{len(document['results'])} compared: {counts[judging.FASTER]} faster, {counts[judging.SLOWER]} slower, " \
            f"{counts[judging.SAME]} without a difference"
    if counts[judging.UNJUDGED]:
        words += f", {counts[judging.UNJUDGED]} with too few runs to tell"
    by_chance = (1 - document["confidence"]) * judged
    return words + (f". If nothing had changed, up to {by_chance:.1f} would be marked by chance." if judged else ".")


def failures(document):
    """One line for --fail-above, empty where nothing fails."""
    found = [result for result in document["results"] if result["fails"]]
    if not found:
        return ""
    worst = max(found, key=lambda result: result["ratio"])
    return f"{len(found)} of {len(document['results'])} slower than {document['fail_above']:g} times (marked !), the most " \
           f"{worst['rung']} ({worst['mechanism']}, {worst['shape']}, {in_threads(worst['threads'])}): " \
           f"{factor(worst['ratio'])}, {interval(worst)}"


def _notes(document):
    notes = [_RULE]
    if any(result["verdict"] == judging.UNJUDGED for result in document["results"]):
        notes.append(_UNJUDGED)
    if any(result["sampled"] for result in document["results"]):
        notes.append(_SAMPLED)
    if failures(document):
        notes.append(f"! the whole interval lies above {document['fail_above']:g}")
    return notes


def _aligned(rows, widths):
    for row in rows:
        # Names to the left, figures to the right.
        yield "  ".join(cell.ljust(width) if column in (0, len(row) - 1) else cell.rjust(width)
                        for column, (cell, width) in enumerate(zip(row, widths))).rstrip()


def terminal(document):
    """The comparison as text: warnings, then a table for each mechanism and shape, then what the marks mean."""
    lines = [_origin("A", document["a"]), _origin("B", document["b"]), *_warnings(document)]
    tables = [(heading, [heads(document)] + [_cells(result) for result in results]) for heading, results in groups(document)]
    widths = [max(len(row[column]) for _, rows in tables for row in rows) for column in range(len(tables[0][1][0]))]
    for heading, rows in tables:
        lines += ["", heading, *_aligned(rows, widths)]
    return "\n".join([*lines, "", summary(document), *_notes(document)]) + "\n"


def _escaped(text):
    for letter in "\\|*<[`":
        text = text.replace(letter, "\\" + letter)
    return text


def markdown(document):
    """The same as Markdown."""
    parts = ["# Comparison", "\n".join(f"- {_escaped(_origin(side.upper(), document[side]))}" for side in ("a", "b"))]
    warnings = _warnings(document)
    if warnings:
        parts.append("Not the same in both:\n\n" + "\n".join(f"- {_escaped(line)}" for line in warnings))
    for heading, results in groups(document):
        names = heads(document)
        head = ["| " + " | ".join(map(_escaped, names)) + " |", "|---|" + "---:|" * (len(names) - 2) + "---|"]
        rows = ["| " + " | ".join(_escaped(cell) for cell in _cells(result)) + " |" for result in results]
        parts += [f"## {_escaped(heading)}", "\n".join(head + rows)]
    return "\n\n".join([*parts, summary(document), *map(_escaped, _notes(document))]) + "\n"
