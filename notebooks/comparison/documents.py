"""Reads the documents that are compared. Whatever the file holds, it is read or refused with one line."""
import dataclasses
import json
import math
import os
from statistics import median

MOST_BYTES = 1 << 28


class Refused(Exception):
    """A file or an option cannot be used: one line that says which and why."""


@dataclasses.dataclass
class Entry:
    """What one rung did on one shape with one number of threads."""
    mechanism: str
    rung: str
    shape: str  # "heads=8,queries=2048", in the file's order
    threads: int
    status: str  # ok, sampled, skipped
    reason: str = ""
    median_s: float = 0.0
    times_s: tuple = ()  # seconds of each run; empty where an older version wrote the file
    aa_spread: float = 0.0
    roof_kind: str = ""
    roof_value: float = 0.0
    roof_share: float = 0.0
    timed_rows: int = 0
    beside: bool = False  # a library's way

    @property
    def time_s(self):
        """The median of the single times, where they were kept."""
        return median(self.times_s) if self.times_s else self.median_s


@dataclasses.dataclass
class Document:
    """One file: its name, what it says about itself, and its entries."""
    name: str
    machine: dict
    about: dict
    entries: list


def printable(text, most=300):
    """`text` fit for one line of a terminal: control characters and broken Unicode show as ?, and what is too long is cut."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(text))
    return text if len(text) <= most else text[:most - 1] + "…"


def in_threads(number):
    """1 → "1 thread"."""
    return f"{number} thread{'' if number == 1 else 's'}"


class _Reader:
    """Takes fields out of parsed JSON and says, where one is wrong, which."""

    def __init__(self, name):
        self.name = name

    def refuse(self, what):
        return Refused(f"{self.name} {what}")

    def typed(self, holder, key, kind, where, words):
        value = holder.get(key)
        # To Python a truth value is a number.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.refuse(f"is no result of ./course bench: {where}{key} is not {words}")
        return value

    def text(self, holder, key, where):
        return printable(self.typed(holder, key, str, where, "a text"))

    def number(self, holder, key, where, least=0.0, most=1e30):
        try:
            value = float(self.typed(holder, key, (int, float), where, "a number"))
        except OverflowError:
            value = math.inf
        if not least <= value <= most:
            raise self.refuse(f"is no result of ./course bench: {where}{key} is out of range")
        return value

    def time(self, holder, key, where):
        # From a picosecond to thirty thousand years: ratios of these are numbers.
        return self.number(holder, key, where, 1e-12, 1e12)

    def whole(self, holder, key, where, least=0):
        value = self.typed(holder, key, int, where, "a whole number")
        if not least <= value < 1 << 63:
            raise self.refuse(f"is no result of ./course bench: {where}{key} is out of range")
        return value

    def times(self, holder, where):
        if "times_s" not in holder:
            return ()
        times = self.typed(holder, "times_s", list, where, "a list")
        return tuple(self.time({"times_s": time}, "times_s", where) for time in times)

    def entry(self, result, where):
        if not isinstance(result, dict):
            raise self.refuse(f"is no result of ./course bench: {where[:-1]} is no object")
        shape = self.typed(result, "shape", dict, where, "an object")
        size = ",".join(f"{printable(key)}={self.size(shape, key, where)}" for key in shape)
        entry = Entry(self.text(result, "mechanism", where), self.text(result, "rung", where), size,
                      self.whole(result, "threads", where, 1), self.text(result, "status", where))
        if entry.status not in ("ok", "sampled", "skipped"):
            raise self.refuse(f"is no result of ./course bench: {where}status is '{entry.status}'")
        if entry.status == "skipped":
            entry.reason = self.text(result, "reason", where)
            return entry
        entry.median_s = self.time(result, "median_s", where)
        entry.times_s = self.times(result, where)
        entry.aa_spread = self.number(result, "aa_spread", where)
        entry.roof_kind = self.text(result, "roof_kind", where)
        entry.roof_value = self.number(result, "roof_value", where)
        entry.roof_share = self.number(result, "roof_share", where)
        entry.timed_rows = self.whole(result, "timed_rows", where)
        entry.beside = self.typed(result, "beside", bool, where, "true or false")
        return entry

    def size(self, shape, key, where):
        """A size, or the name of a kind (how numbers are stored)."""
        value = shape[key]
        return printable(value) if isinstance(value, str) else self.whole(shape, key, f"{where}shape.")


def _refuse_constant(text):
    raise ValueError(f"{text} is no JSON")


def _parse(name, content):
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise Refused(f"{name} is nested too deeply") from None
    except ValueError as error:
        raise Refused(f"{name} is no JSON: {printable(error)}") from None


def _content(path, name):
    try:
        with open(path, "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise Refused(f"{name} cannot be read: {getattr(error, 'strerror', None) or 'no such name'}") from None
    if len(content) > MOST_BYTES:
        raise Refused(f"{name} is larger than {MOST_BYTES >> 20} MB: no result of ./course bench is")
    if not content.strip():
        raise Refused(f"{name} is empty")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{name} is no JSON: it is not UTF-8 text") from None


def _results(document, reader):
    """The list of results: of a benchmark as it stands, of a chapter's ladder.json out of its problems."""
    if "problems" not in document:
        return [(f"results[{i}].", result) for i, result in enumerate(reader.typed(document, "results", list, "", "a list"))]
    found = []
    for i, problem in enumerate(reader.typed(document, "problems", list, "", "a list")):
        if not isinstance(problem, dict):
            raise reader.refuse(f"is no result of ./course bench: problems[{i}] is no object")
        results = reader.typed(problem, "results", list, f"problems[{i}].", "a list")
        found += [(f"problems[{i}].results[{j}].", result) for j, result in enumerate(results)]
    return found


def read(path):
    """The document in the file. Raises Refused."""
    name = printable(path)
    reader = _Reader(name)
    document = _parse(name, _content(path, name))
    if not isinstance(document, dict) or "schema" not in document:
        raise reader.refuse("is no result of ./course bench: it has no schema")
    if document["schema"] is True or document["schema"] != 1:
        raise reader.refuse(f"has schema {printable(document['schema'], 40)}, and this version reads schema 1")
    machine = reader.typed(document, "machine", dict, "", "an object")
    entries = [reader.entry(result, where) for where, result in _results(document, reader)]
    if not entries:
        raise reader.refuse("holds no results")
    return Document(name, machine, {key: document[key] for key in ("mode", "data", "seed", "settings") if key in document}, entries)


def base_name(document):
    """The file's name without its folder, for what is passed on to others."""
    return os.path.basename(document.name) or document.name
