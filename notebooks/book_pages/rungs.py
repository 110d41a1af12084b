"""Which file is which rung, by the names of the files: rungs/[PART_]N_NAME.cpp."""
import re
from dataclasses import dataclass, field
from pathlib import Path

STEP = re.compile(r"(?:(?P<part>[a-z][a-z0-9_]*?)_)?(?P<number>[0-9]+)_(?P<name>[a-z][a-z0-9_]*)")


@dataclass
class Rung:
    """A file of a ladder. Several mechanisms may share it: a mask more or less is no other code."""
    file: Path
    name: str
    idea: str
    before: "Rung | None" = None
    after: "Rung | None" = None
    mechanisms: list = field(default_factory=list)
    place: int = 0  # among the files of its ladder, from 1
    of: int = 0

    @property
    def page(self):
        return f"chapters/{self.file.parent.parent.name}/rungs/{self.file.stem}"


def part_of(mechanism, parts):
    """The part of the file names that stands for a mechanism: the longest that begins its name, else that ends
    it; "" where there is none."""
    fitting = [part for part in parts if part and (mechanism.startswith(part) or mechanism.endswith(part))]
    return max(fitting, key=lambda part: (mechanism.startswith(part), len(part)), default="")


def files_of(mechanism, folder):
    """The files of a mechanism's rungs, in the order of its ladder; None for a rung without a file of its own."""
    files = sorted(folder.glob("*.cpp"))
    steps = [(match, file) for file in files if (match := STEP.fullmatch(file.stem))]
    parts = {match["part"] or "" for match, _ in steps}
    part = part_of(mechanism["name"], parts)
    own = {match["name"]: file for match, file in steps if (match["part"] or "") == part}
    beside = {file.stem: file for file in files}
    found = []
    for rung in mechanism["rungs"]:
        name = rung["name"]
        found.append(own.get(name) or beside.get(f"{part}_{name}" if part else name))
    return found


def ladders(mechanisms, root):
    """All rungs that have a file, by file, and for each mechanism its rungs in order (None where there is no file)."""
    rungs, order = {}, {}
    for mechanism in mechanisms:
        files = files_of(mechanism, root / "chapters" / mechanism["chapter"] / "rungs")
        order[mechanism["name"]] = []
        steps = []
        for described, file in zip(mechanism["rungs"], files):
            if file is None:
                order[mechanism["name"]].append(None)
                continue
            rung = rungs.setdefault(file, Rung(file, described["name"], described["idea"]))
            rung.mechanisms.append(mechanism)
            order[mechanism["name"]].append(rung)
            steps.append((rung, described))
        _link(steps)
    return rungs, order


def _link(steps):
    """Before and after along a ladder. What stands beside it, a library's way or a variant, follows its last step."""
    ladder = [rung for rung, described in steps if not described["beside"] and not described["variant"]]
    for before, after in zip(ladder, ladder[1:]):
        after.before = after.before or before
        before.after = before.after or after
    for place, rung in enumerate(ladder, 1):
        rung.place, rung.of = rung.place or place, rung.of or len(ladder)
    for rung, described in steps:
        if ladder and (described["beside"] or described["variant"]) and rung not in ladder:
            rung.before = rung.before or ladder[-1]
