"""Where the results are, and what they say about themselves."""
import json
import os
from pathlib import Path

import numpy as np


class Missing(Exception):
    """A result is not there or cannot be read: one line that says which and how to make it."""


class Chapter:
    """The results of one chapter.

    The folder is `results` (else $ATTENTION_RESULTS, else ../results) / name for a full run, and its subfolder quick/
    for a quick one. `mode` (else $ATTENTION_MODE, else "full") says which is wanted; where only the other is there, it
    is taken.
    """

    def __init__(self, name, results=None, mode=None):
        self.name = name
        self._results = Path(results or os.environ.get("ATTENTION_RESULTS") or "../results")
        mode = mode or os.environ.get("ATTENTION_MODE") or "full"
        full, quick = self._results / name, self._results / name / "quick"
        wanted, other = (quick, full) if mode == "quick" else (full, quick)
        self.folder = other if not _finished(wanted) and _finished(other) else wanted

    def _missing(self, file, what):
        # Named from the results folder on: the line may stand on a page that others read.
        return Missing(f"{os.path.relpath(file, self._results)} {what}: ./course run {self.name[:2]} makes it")

    def read(self, name):
        """The result file NAME.json as a dictionary."""
        return self._document(self.folder / f"{name}.json")

    def _document(self, file):
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except OSError:
            raise self._missing(file, "is not there yet") from None
        except ValueError:
            raise self._missing(file, "is no JSON") from None

    def has_record(self, name):
        """Whether there is an attention record NAME: what is trained leaves none where its weights are missing."""
        return (self.folder / f"{name}.attention.json").exists()

    def array(self, name):
        """The .npy file NAME beside the result files."""
        return self._numbers(self.folder / name)

    def _numbers(self, file):
        try:
            return np.load(file, allow_pickle=False)
        except OSError:
            raise self._missing(file, "is not there yet") from None
        except ValueError:
            raise self._missing(file, "is no .npy file") from None

    def mechanisms(self):
        """The names of the mechanisms whose ladders the chapter has climbed, in its order."""
        return list(dict.fromkeys(problem["mechanism"] for problem in self.read("ladder")["problems"]))

    def problem(self, name, mechanism=None):
        """One problem of ladder.json, with the file's own description; the first of this name where no mechanism is
        given."""
        document = self.read("ladder")
        for problem in document["problems"]:
            if problem["name"] == name and mechanism in (None, problem["mechanism"]):
                return {**description(document), **problem}
        raise Missing(f"ladder.json of {self.name} has no problem {name}{_of(mechanism)}; "
                      f"it has {', '.join(self.problems(mechanism))}")

    def problems(self, mechanism=None):
        """The names of the problems in ladder.json, of one mechanism or of all."""
        return [problem["name"] for problem in self.read("ladder")["problems"] if mechanism in (None, problem["mechanism"])]

    def headlines(self):
        """The problem that stands for each of the chapter's mechanisms, with the file's own description."""
        document = self.read("ladder")
        return [{**description(document), **problem} for problem in document["problems"] if problem["headline"]]

    def sweep(self, name, mechanism=None):
        """One sweep of scaling.json, with the file's own description."""
        sweeps = self.sweeps(mechanism)
        if name not in sweeps:
            raise Missing(f"scaling.json of {self.name} has no sweep {name}{_of(mechanism)}; it has {', '.join(sweeps)}")
        return sweeps[name]

    def sweeps(self, mechanism=None):
        """The sweeps of scaling.json of a mechanism (the chapter's first where none is given), by name, each with the
        file's own description."""
        document = self.read("scaling")
        wanted = mechanism or next((sweep["mechanism"] for sweep in document["sweeps"]), None)
        return {sweep["name"]: {**description(document), **sweep} for sweep in document["sweeps"]
                if sweep["mechanism"] == wanted}

    def record(self, name):
        """An attention record: the JSON, with `weights` and the sides' `pixels` as arrays."""
        return self.record_at(f"{name}.attention.json")

    def record_at(self, file):
        """The same by the name of its file, from the chapter's folder on: it may be another chapter's."""
        folder, name = (self.folder / file).parent, Path(file).name
        record = self._document(folder / name)
        record["mode"] = "quick" if folder.name == "quick" else "full"
        record["weights"] = self._numbers(folder / record["weights"])
        for side in ("queries", "keys"):
            if record[side].get("pixels"):
                record[side]["pixels"] = self._numbers(folder / record[side]["pixels"])
        return record


def _of(mechanism):
    return f" of {mechanism}" if mechanism else ""


def _finished(folder):
    # A chapter's program writes its summary last.
    return (folder / "summary.json").exists()


def description(document):
    """What a result file says about itself."""
    return {key: document[key] for key in ("machine", "data", "mode") if key in document}


def nearest_to_roof(rows):
    """The row with the largest share of its roof. A variant may need less work than is counted: its share is not of its own work."""
    return max([row for row in rows if not row.get("variant")] or rows, key=lambda row: row["roof_share"])


def rung_label(row):
    """The rung's name, and what it is where it is no step of the ladder."""
    return row["rung"] + (" (library)" if row["beside"] else " (variant)" if row.get("variant") else "")


def rows_run(document):
    """The rows of a problem or a sweep that were run."""
    return [row for row in document.get("results", []) if row["status"] != "skipped"]


def origin(document):
    """Where figures come from, in pieces: CPU, threads, compiler, date."""
    machine = document.get("machine")
    if not machine:
        return []
    counts = sorted({row["threads"] for row in rows_run(document)})
    threads = " and ".join(", ".join(map(str, counts)).rsplit(", ", 1)) if counts else f"up to {machine['cpus_available']}"
    return [machine["cpu"], f"{threads} thread{'' if threads == '1' else 's'}", machine["compiler"], machine["date"][:10]]
