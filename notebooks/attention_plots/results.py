"""Where the results are, and what they say about themselves."""
import json
import os
from pathlib import Path

import numpy as np


class Missing(Exception):
    """A result file is not there: one line that says which and how to make it."""


class Chapter:
    """The results of one chapter.

    The folder is $ATTENTION_RESULTS (default: ../results) / name, or its subfolder quick/ where $ATTENTION_MODE is
    "quick" or where only that exists.
    """

    def __init__(self, name, results=None, mode=None):
        results = Path(results or os.environ.get("ATTENTION_RESULTS", "../results"))
        mode = mode or os.environ.get("ATTENTION_MODE", "full")
        full, quick = results / name, results / name / "quick"
        has_full = (full / "summary.json").exists()
        self.name = name
        self.folder = quick if mode == "quick" or (not has_full and (quick / "summary.json").exists()) else full

    def read(self, name):
        """The result file NAME.json as a dictionary."""
        file = self.folder / f"{name}.json"
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise Missing(f"{file} is not there yet: ./course run {self.name[:2]} makes it") from None

    def problem(self, name):
        """One problem of ladder.json, with the file's own description."""
        document = self.read("ladder")
        for problem in document["problems"]:
            if problem["name"] == name:
                return {**description(document), **problem}
        names = ", ".join(p["name"] for p in document["problems"])
        raise Missing(f"ladder.json of {self.name} has no problem {name}; it has {names}")

    def problems(self):
        """The names of the problems in ladder.json."""
        return [p["name"] for p in self.read("ladder")["problems"]]

    def sweeps(self):
        """The sweeps of scaling.json, by name, each with the file's own description."""
        document = self.read("scaling")
        return {s["name"]: {**description(document), **s} for s in document["sweeps"]}

    def record(self, name):
        """An attention record: the JSON, with `weights` and the sides' `pixels` as arrays."""
        record = self.read(f"{name}.attention")
        record["weights"] = np.load(self.folder / record["weights"])
        for side in ("queries", "keys"):
            if record[side].get("pixels"):
                record[side]["pixels"] = np.load(self.folder / record[side]["pixels"])
        return record


def description(document):
    """What a result file says about itself."""
    return {key: document[key] for key in ("machine", "data", "mode") if key in document}
