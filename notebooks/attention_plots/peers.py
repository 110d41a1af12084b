"""Other libraries beside our fastest rung: what a benchmark with --peers has measured, as rows, as a table and as figures."""
import matplotlib.pyplot as plt
from matplotlib.patheffects import withStroke

from .results import Missing, rows_run
from .style import LIBRARY, ROOF, RUNG, foot
from .tables import number, seconds, table

_PREFIX = "peer:"
_RATES = {"fma": ("peak", "GFLOP/s", 1e9), "bf16": ("peak", "GFLOP/s", 1e9), "bandwidth": ("bandwidth", "GB/s", 1e9), "exp": ("exponentials", "10⁹/s", 1e9),
          "reciprocal": ("divisions", "10⁹/s", 1e9)}


def _is_peer(row):
    return row["rung"].startswith(_PREFIX)


_TITLES = {"dot_product": "Dot-product attention", "multi_head": "Multi-head attention", "additive": "Additive attention",
           "convolution": "Convolution"}


def _convolution_name(shape):
    """Images × channels × height × width, the kernel, then what is not as usual."""
    channels = str(shape["in_channels"]) + (f"→{shape['out_channels']}" if shape["out_channels"] != shape["in_channels"] else "")
    name = f"{shape['batch']}×{channels}×{shape['height']}×{shape['width']} {shape['kernel']}×{shape['kernel']}"
    return name + (f" dilation {shape['dilation']}" if shape["dilation"] > 1 else "")


def shape_name(shape):
    """The sizes in one word: heads × n × dim, then what is not as usual. Of dot_product, of multi_head, which has a width, or of
    convolution, which has a kernel."""
    if "kernel" in shape:
        return _convolution_name(shape)
    dim = shape["dim"]
    if "width" in shape:
        queries = keys = shape["n"]
        heads, kv_heads, value_dim = shape["key_heads"] * shape["group"], shape["key_heads"], dim
    else:
        queries, keys = shape["queries"], shape["keys"]
        heads, kv_heads, value_dim = shape["heads"], shape.get("kv_heads", shape["heads"]), shape["value_dim"]
    all_heads = heads * shape["batch"]
    words = [f"{all_heads}×{queries}×{dim}" if queries == keys else f"{all_heads}×{queries}:{keys}×{dim}"]
    if "width" in shape:
        words.append(f"width {shape['width']}")
    if value_dim != dim:
        words.append(f"value_dim {value_dim}")
    if kv_heads != heads:
        words.append(f"{kv_heads} key heads")
    if shape.get("causal"):
        words.append("causal")
    if shape.get("window"):
        words.append(f"window {shape['window']}")
    return " ".join(words)


def comparisons(document):
    """One entry for each shape and number of threads, in the order in which they were measured: the roof, our fastest rung,
    the peers that ran, the best of them, and how many times faster we are. Raises Missing where no peer was asked for."""
    groups = {}
    for row in document["results"]:
        if "shape" in row:
            groups.setdefault((tuple(row["shape"].items()), row["threads"]), []).append(row)
    found = []
    for (shape, threads), rows in groups.items():
        if not any(map(_is_peer, rows)):
            continue
        run = rows_run({"results": rows})
        ours = min((row for row in run if not row["beside"] and not row.get("variant")), key=lambda row: row["median_s"], default=None)
        peers = [row for row in run if _is_peer(row)]
        best = min(peers, key=lambda row: row["median_s"], default=None)
        found.append({
            "mechanism": rows[0]["mechanism"], "shape": dict(shape), "name": shape_name(dict(shape)), "threads": threads,
            "roof_kind": run[0]["roof_kind"] if run else None,
            "roof_value": max((row["roof_value"] for row in run), default=None),
            "ours": ours and _entry(ours),
            "peers": {row["rung"].removeprefix(_PREFIX): _entry(row) for row in peers},
            "not_run": {row["rung"].removeprefix(_PREFIX): row["reason"] for row in rows
                        if _is_peer(row) and row["status"] == "skipped"},
            "best_peer": best and best["rung"].removeprefix(_PREFIX),
            "ours_over_best_peer": best["median_s"] / ours["median_s"] if best and ours else None})
    if not found:
        raise Missing("no peer was measured: ./course bench dot_product --peers --json FILE does")
    return found


def _entry(row):
    entry = {key: row[key] for key in ("rung", "median_s", "spread_s", "roof_share", "max_error", "error_bound")}
    if _is_peer(row):
        entry |= {key: row["peer"][key] for key in ("around_s", "operator_s", "version", "kernel", "threads", "copies")}
    return entry


def peer_names(found):
    """All peers that ran somewhere, in the order in which they came."""
    return list(dict.fromkeys(name for entry in found for name in entry["peers"]))


def peer_table(found):
    """One table over all shapes: shares of the roof, and how many times faster our rung is than the best peer. Versions, and
    why a peer did not run, stand below."""
    names = peer_names(found)

    def share(entry, best=False):
        if entry is None:
            return "–"
        words = f"{100 * entry['roof_share']:.1f} %"
        if entry.get("operator_s"):
            words += f" ({100 * entry['roof_share'] * entry['operator_s'] / entry['around_s']:.1f})"
        return f"**{words}**" if best else words

    rows = [[e["name"], str(e["threads"]), _RATES.get(e["roof_kind"], ("",))[0], seconds(e["ours"]["median_s"]) if e["ours"] else "–",
             e["ours"]["rung"] if e["ours"] else "–", share(e["ours"]),
             *(share(e["peers"].get(name), name == e["best_peer"]) for name in names),
             f"{e['ours_over_best_peer']:.2f}×" if e["ours_over_best_peer"] else "–"] for e in found]
    heads = ["shape", "threads", "share of", "our time", "rung", "ours", *names, "over the best peer"]
    notes = ["The best peer is bold. Where a library times its operator itself, or works in a layout of its own, its share is the "
             "operator's own; in brackets, with what is around it."]
    for name in names:
        entries = [e["peers"][name] for e in found if name in e["peers"]]
        kernels = dict.fromkeys(entry["kernel"] for entry in entries)
        notes.append(f"{name}: {entries[0]['version']}; {' | '.join(kernels)}.")
    reasons = {}
    for e in found:
        for name, reason in e["not_run"].items():
            reasons.setdefault((name, reason), []).append(f"{e['name']} ({e['threads']})")
    notes += [f"Not run: {name} on {', '.join(where)}: {reason}." for (name, reason), where in reasons.items()]
    return "\n\n".join([table(heads, rows), *notes])


def beside_peers(document, entries):
    """The figure of one shape, a panel for each number of threads: our fastest rung and the peers, the fastest first, as rates
    per core under the measured roof, which is the top line. A white line in a bar: with the call around the operator."""
    columns = len(entries)
    most = max(len(entry["peers"]) for entry in entries) + 1
    figure, panels = plt.subplots(1, columns, figsize=((0.75 * most + 1.2) * columns + 0.4, 4.6), squeeze=False, sharey=True)
    for axes, entry in zip(panels.flat, entries):
        words, unit, size = _RATES[entry["roof_kind"]]
        roof = entry["roof_value"] / size / entry["threads"]
        bars = [*entry["peers"].items()] + ([("ours: " + entry["ours"]["rung"], entry["ours"])] if entry["ours"] else [])
        bars.sort(key=lambda bar: bar[1]["median_s"])
        for place, (name, row) in enumerate(bars):
            rate = row["roof_share"] * roof
            error = rate * row["spread_s"] / row["median_s"]
            axes.bar(place, rate, width=0.75, color=RUNG if name.startswith("ours") else LIBRARY, edgecolor="black", linewidth=0.6,
                     yerr=error, error_kw={"elinewidth": 1.2, "capsize": 2.5})
            if row.get("operator_s"):
                around = rate * row["operator_s"] / row["around_s"]
                axes.plot([place - 0.37, place + 0.37], [around, around], color="white", linewidth=1.6, solid_capstyle="butt")
            axes.annotate(f"{100 * row['roof_share']:.0f} %", (place, rate + error), xytext=(0, 3),
                          textcoords="offset points", ha="center", va="bottom", fontsize=9, path_effects=[withStroke(linewidth=2.5, foreground="white")], zorder=5)
        axes.axhline(roof, color=ROOF, linewidth=2.5)
        axes.annotate(f"measured {words}: {number(roof)}", (1, roof), xycoords=("axes fraction", "data"), xytext=(0, 3),
                      textcoords="offset points", color=ROOF, ha="right", va="bottom", fontsize=9)
        axes.set_xticks(range(len(bars)), [name for name, _ in bars], rotation=40, ha="right", rotation_mode="anchor")
        axes.grid(axis="x", visible=False)
        axes.set_title(f"{entry['threads']} thread{'' if entry['threads'] == 1 else 's'}", fontsize=10, pad=16)
        axes.set_ylabel(f"{unit} per core")
    words = f"{_TITLES[entries[0]['mechanism']]}, {entries[0]['name']}: our fastest rung (blue) and other libraries (grey)"
    if any(row.get("operator_s") for entry in entries for row in entry["peers"].values()):
        words += "\nWhite line: what is left of the rate with the call around the operator"
    figure.suptitle(words, x=0.01, ha="left", fontsize=11)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    foot(figure, document)
    return figure
