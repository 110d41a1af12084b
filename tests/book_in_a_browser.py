"""Binds the book from results made for the test, part of them missing, and opens every page of it in a browser.

    python3 book_in_a_browser.py PROGRAMS        # the folder with ladder_list

Exit status: 0 fine; 1 faults; 77 left out, with a line that says for want of what.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "notebooks"))

import book  # noqa: E402
import check_book  # noqa: E402
from made_results import FULL  # noqa: E402
from test_notebooks import make_results  # noqa: E402


def main(programs):
    lacking = book.missing()
    if lacking or (reason := check_book.lacking()):
        print(f"left out: {', '.join(lacking) + ' not installed' if lacking else reason}; ./course setup installs it")
        return 77
    with tempfile.TemporaryDirectory(prefix="book.tmp.") as temporary:
        folder = Path(temporary)
        results, mechanisms = folder / "results", folder / "mechanisms.json"
        make_results(results, FULL)
        mechanisms.write_bytes(subprocess.run([Path(programs, "ladder_list"), "--json"], check=True, stdout=subprocess.PIPE).stdout)
        command = [sys.executable, str(ROOT / "notebooks" / "book.py"), "--results", str(results), "--mechanisms",
                   str(mechanisms),
                   "--work", str(folder / "work")]
        # A warning of Sphinx is a fault here: a link that leads nowhere, code that is none.
        done = subprocess.run(command, check=False)
        return done.returncode or check_book.check(results / "book")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
