"""Every line of C++ that a lesson quotes must stand in the sources: a lesson must not show code that is gone.

usage: quoted_code.py PROJECT_FOLDER

White space does not count, and a quoted statement may be broken into lines otherwise than the source. A line that holds
only "..." or "…" stands for what is left out. A block opened with ```cpp is a quotation; one opened with ```c++ is not (a
snippet of the lesson's own).
"""
import re
import sys
from pathlib import Path


def bare(text):
    return re.sub(r"\s+", "", text)


def faults(project):
    """One line for each quoted line that no source of the project holds."""
    sources = [bare(file.read_text(encoding="utf-8")) for folder in ("chapters", "common", "datasets", "bench", "tests")
               for file in sorted((project / folder).rglob("*")) if file.suffix in (".cpp", ".hpp")]
    found = []
    for lesson in sorted(file for place in ("", "chapters/*/", "common/", "common/*/", "datasets/", "bench/", "notebooks/")
                         for file in project.glob(f"{place}*.md")):
        quoting = False
        for number, line in enumerate(lesson.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("```"):
                quoting = line.strip() == "```cpp" and not quoting
            elif quoting and bare(line) not in ("", "...", "…") and not any(bare(line) in source for source in sources):
                found.append(f"{lesson.relative_to(project)}:{number}: not in the sources: {line.strip()}")
    return found


def main(arguments):
    project = Path(arguments[0])
    found = faults(project)
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
