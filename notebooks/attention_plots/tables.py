"""Ladders and fits as Markdown, for the notebooks and for the measured blocks of the lessons."""


def seconds(value):
    """0.00123 → "1.23 ms"."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}" if value < 1000 * size or unit != "s" else f"{value:.0f} s"
    return f"{value * 1e9:.3g} ns"


def amount(value):
    """2400000000 → "2.4 GB"; decimal units."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def table(heads, rows):
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def _factor(value):
    return "" if value is None else f"{value:.0f}×" if value >= 100 else f"{value:.3g}×"


def ladder_table(problem):
    """The rungs with time, spread, speed-ups, rate, share of the roof, memory and error."""
    rows, notes = [], []
    for r in problem["results"]:
        if r["status"] == "skipped":
            continue
        rows.append([r["rung"] + (" (library)" if r["beside"] else "") + (" \\*" if r["status"] == "sampled" else ""),
                     r["idea"], str(r["threads"]), seconds(r["median_s"]),
                     f"±{100 * r['spread_s'] / r['median_s']:.1f} %",
                     _factor(r["speedup_previous"]) + (" ~" if r["within_noise"] else ""), _factor(r["speedup_first"]),
                     f"{r['gflops']:.3g}", f"{100 * r['roof_share']:.1f} % {r['roof_kind']}",
                     "" if r["peak_extra_bytes"] is None else amount(r["peak_extra_bytes"]) + (" \\*" if r["peak_predicted"] else ""),
                     f"{r['max_error']:.1e}", f"{r['error_bound']:.1e}"])
    if any(r["status"] == "sampled" for r in problem["results"]):
        notes.append("\\* timed on a sample of the rows and scaled up; its memory is computed from the sizes.")
    if any(r.get("within_noise") for r in problem["results"]):
        notes.append("~ inside the A/A spread: noise.")
    rungs = table(["rung", "idea", "threads", "time", "spread", "over last", "over first", "GFLOP/s", "share of roof",
                    "extra memory", "error", "allowed"], rows)
    return "\n\n".join([f"{problem['title']} (`{problem['shape']}`)", rungs, *notes])


def fit_table(sweep):
    """The fitted exponents of a sweep; over threads the rates per core."""
    if sweep["name"] == "threads":
        rows = [[r["rung"], str(r["threads"]), seconds(r["median_s"]), f"{r['gflops'] / r['threads']:.3g}"]
                for r in sweep["results"] if r["status"] != "skipped"]
        return table(["rung", "threads", "time", "GFLOP/s per core"], rows)
    rows = [[f["rung"], {"median_s": "time", "peak_extra_bytes": "extra memory"}[f["quantity"]],
             f"{f['exponent']:.2f}", f"{f['from']} to {f['to']}", f"{f['r_squared']:.4f}"] for f in sweep["fits"]]
    return table(["rung", "quantity", f"grows as {sweep['name']} to the power", "fitted over", "R²"], rows)


def crossover_table(sweep):
    """Where the order of two rungs changes by more than the noise."""
    if not sweep["crossovers"]:
        return f"No two rungs change places along {sweep['name']} by more than the noise."
    rows = [[c["slower_below"], c["faster_below"], f"{c['at']:.0f}"] for c in sweep["crossovers"]]
    return table(["this rung", "becomes faster than", f"at {sweep['name']} ≈"], rows)
