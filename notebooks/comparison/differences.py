"""What else than the code differs between two runs: each thing is one line."""
from .documents import in_threads, printable

# What a result file says about its machine, in the words of a reader.
_MACHINE = {"cpu": "CPU", "cpus_available": "CPUs available", "caches": "caches", "memory_bytes": "memory, bytes",
            "operating_system": "operating system", "kernel": "kernel", "compiler": "compiler", "flags": "compiler flags",
            "build_type": "build type", "instruction_set": "instruction set", "openblas": "OpenBLAS", "xtensor": "xtensor",
            "threads": "thread pinning"}
_ABOUT = {"mode": "mode", "data": "data", "seed": "seed", "settings": "settings"}

# A share above 102 % of a roof fails a run, so roofs are trusted that far.
ROOF_TOLERANCE = 0.02
_UNITS = {"fma": (1e9, "GFLOP/s"), "bf16": (1e9, "GFLOP/s"), "bandwidth": (1e9, "GB/s"), "exp": (1e9, "10⁹ exponentials/s"),
          "reciprocal": (1e9, "10⁹ divisions/s")}


def _words(value):
    if value is None:
        return "not said"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(part)}" for key, part in value.items()) or "none"
    if isinstance(value, list):
        return " ".join(map(_words, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(value, 200)


def _difference(what, a, b):
    return {"what": what, "a": printable(_words(a)), "b": printable(_words(b))}


def _parts(what, a, b):
    """Where both are objects, only the parts that differ."""
    if not (isinstance(a, dict) and isinstance(b, dict)):
        return _difference(what, a, b)
    keys = [key for key in dict.fromkeys([*a, *b]) if a.get(key) != b.get(key)]
    return _difference(what, {key: a.get(key) for key in keys}, {key: b.get(key) for key in keys})


def _flat(value):
    """Each of a list as a text, as a set; None where it is no list."""
    return set(map(str, value)) if isinstance(value, list) else None


def _extensions(a, b):
    mine, other = _flat(a), _flat(b)
    if mine is None or other is None:
        return _difference("processor extensions", a, b)
    words = (f"also {' '.join(sorted(more))}" if more else "nothing more" for more in (mine - other, other - mine))
    return _difference("processor extensions", *words)


def _roofs(pairs):
    """A roof that was not equally high: then the machine was not equally fast, or not equally busy."""
    highest = {}
    for a, b in pairs:
        if a.roof_kind == b.roof_kind:
            key = a.roof_kind, a.threads
            before = highest.get(key, (0, 0))
            highest[key] = max(before[0], a.roof_value), max(before[1], b.roof_value)
    for (kind, threads), (a, b) in highest.items():
        if max(a, b) > (1 + ROOF_TOLERANCE) * min(a, b):
            scale, unit = _UNITS.get(kind, (1, "a second"))
            yield _difference(f"measured {kind} roof, {in_threads(threads)}", f"{a / scale:.4g} {unit}", f"{b / scale:.4g} {unit}")


def _rows(pairs):
    for a, b in pairs:
        if a.timed_rows != b.timed_rows:
            yield _difference(f"rows timed for {a.rung} ({a.mechanism}, {a.shape}, {in_threads(a.threads)})",
                              a.timed_rows, b.timed_rows)


def _no_times(a, b):
    """A file of a version that did not keep the single times."""
    kept = [any(entry.times_s for entry in each.entries) for each in (a, b)]
    if not all(kept):
        yield _difference("single times, without which there is no interval", *("kept" if has else "not kept" for has in kept))


def differences(a, b, pairs):
    """[{"what", "a", "b"}]: machine, build, pinning, settings, roofs, and rungs that were timed on other rows. The date may
    differ."""
    found = [_parts(words, a.machine.get(key), b.machine.get(key)) for key, words in _MACHINE.items()
             if a.machine.get(key) != b.machine.get(key)]
    extensions = a.machine.get("extensions"), b.machine.get("extensions")
    if extensions[0] != extensions[1]:
        found.append(_extensions(*extensions))
    found += [_parts(words, a.about.get(key), b.about.get(key)) for key, words in _ABOUT.items()
              if a.about.get(key) != b.about.get(key)]
    return [*found, *_no_times(a, b), *_roofs(pairs), *_rows(pairs)]
