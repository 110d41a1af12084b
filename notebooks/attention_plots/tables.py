"""Ladders, fits and figures as Markdown, for the notebooks and for the measured blocks of the lessons."""
from .results import rows_run, rung_label


def number(value):
    """Three digits that count, never with an exponent where they are large: 0.0123, 4.56, 1020."""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def seconds(value):
    """0.00123 → "1.23 ms"."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{value * 1e9:.3g} ns"


def amount(value):
    """2400000000 → "2.4 GB"; decimal units."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{number(value / size)} {unit}"
    return f"{value:.0f} B"


def quantity(value, unit):
    """A figure of a summary with its unit: shares as per cent, seconds and bytes with a fitting prefix."""
    if unit == "B":
        return amount(value)
    if unit == "s":
        return seconds(value)
    if unit == "1":
        return f"{100 * value:.2f} %" if 1e-3 <= value <= 1 else f"{value:.2g}"
    return f"{number(value)} {unit}"


def table(heads, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def row_table(rows):
    """Rows as dictionaries: the keys are the headings; numbers with three digits that count, truth as yes and no."""
    def cell(value):
        if value is None:
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value) if isinstance(value, (str, int)) else number(value)

    heads = list(dict.fromkeys(key for row in rows for key in row))
    return table([head.replace("_", " ") for head in heads], [[cell(row.get(head)) for head in heads] for row in rows])


def figure_table(summary):
    """The figures of a summary."""
    return table(["figure", "value", "meaning"],
                 [[f"`{f['name']}`", quantity(f["value"], f["unit"]), f["meaning"]] for f in summary["figures"]])


def _factor(value):
    return "" if value is None else f"{number(value)}×"


def _not_run(problem):
    """A sentence for each reason why rungs were skipped."""
    reasons = {}
    for row in problem["results"]:
        if row["status"] == "skipped":
            reasons.setdefault((row["threads"], row["reason"]), []).append(row["rung"])
    return [f"Not run with {threads} thread{'' if threads == 1 else 's'}: {', '.join(rungs)} ({reason})."
            for (threads, reason), rungs in reasons.items()]


LADDER_HEADS = ["rung", "idea", "threads", "time", "spread", "over last", "over first", "GFLOP/s", "share of roof",
                "extra memory", "error", "allowed"]


def ladder_rows(problem):
    """The rungs with time, spread, speed-ups, rate, share of the roof, memory and error: cells under LADDER_HEADS."""
    return [[rung_label(r) + (" *" if r["status"] == "sampled" else ""),
             r["idea"], str(r["threads"]), seconds(r["median_s"]),
             f"±{100 * r['spread_s'] / r['median_s']:.1f} %",
             _factor(r["speedup_previous"]) + (" ~" if r["within_noise"] else ""), _factor(r["speedup_first"]),
             number(r["gflops"]), f"{100 * r['roof_share']:.1f} % {r['roof_kind']}",
             "" if r["peak_extra_bytes"] is None else amount(r["peak_extra_bytes"]) + (" †" if r["peak_predicted"] else ""),
             f"{r['max_error']:.1e}", f"{r['error_bound']:.1e}"] for r in rows_run(problem)]


def ladder_notes(problem):
    """What the marks in ladder_rows mean, and which rungs were skipped: sentences."""
    notes = []
    if any(r["status"] == "sampled" for r in rows_run(problem)):
        notes.append("* timed on a sample of the rows and scaled up.")
    if any(r["peak_predicted"] for r in rows_run(problem)):
        notes.append("† computed from the sizes, not measured.")
    if any(r["within_noise"] for r in rows_run(problem)):
        notes.append("~ inside the A/A spread: noise.")
    return notes + _not_run(problem)


def ladder_table(problem):
    """The ladder as a Markdown table with its title and notes."""
    def escaped(text):
        return text.replace("*", "\\*")

    rungs = table(LADDER_HEADS, [[escaped(cell) for cell in row] for row in ladder_rows(problem)])
    return "\n\n".join([f"{problem['title']} (`{problem['shape']}`)", rungs, *map(escaped, ladder_notes(problem))])


def fit_table(sweep):
    """The fitted exponents of a sweep; over threads the rates per core."""
    if sweep["name"] == "threads":
        rows = [[r["rung"], str(r["threads"]), seconds(r["median_s"]), number(r["gflops"] / r["threads"])]
                for r in rows_run(sweep)]
        return table(["rung", "threads", "time", "GFLOP/s per core"], rows)
    rows = [[f["rung"], {"median_s": "time", "peak_extra_bytes": "extra memory"}.get(f["quantity"], f["quantity"]),
             f"{f['exponent']:.2f}", f"{f['from']} to {f['to']}", f"{f['r_squared']:.4f}"] for f in sweep["fits"]]
    return table(["rung", "quantity", f"grows as {sweep['name']} to the power", "fitted over", "R²"], rows)


def crossover_table(sweep):
    """Where the order of two rungs changes by more than the noise."""
    if not sweep["crossovers"]:
        return f"No two rungs change places along {sweep['name']} by more than the noise."
    rows = [[c["slower_below"], c["faster_below"], number(c["at"])] for c in sweep["crossovers"]]
    return table(["this rung", "becomes faster than", f"at {sweep['name']} ≈"], rows)


def sweep_tables(sweep):
    """Fits and crossovers of a sweep; over threads there are neither, but rates."""
    return fit_table(sweep) + ("" if sweep["name"] == "threads" else "\n\n" + crossover_table(sweep))
