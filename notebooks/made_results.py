"""What tests of plots and notebooks have in common: the description of made results, and a notebook run on them."""
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

# Of each core: 1000 GFLOP/s, 20 GB/s, 10⁹ exponentials and 10⁹ divisions.
ROOFS = [{"threads": threads, **{name: {"best": threads * rate} for name, rate in
                                 (("fma", 1e12), ("read", 2e10), ("exp", 1e9), ("reciprocal", 1e9))}} for threads in (1, 2)]
ABOUT = {"schema": 1, "data": "stand_in", "mode": "quick",
         "machine": {"cpu": "Test CPU", "cpus_available": 2, "compiler": "g++ 12.2.0", "date": "2026-01-02T03:04:05Z", "roofs": ROOFS}}
FULL = {**ABOUT, "data": "real", "mode": "full"}


def execute(case, results, name):
    """Runs the notebook `name` on the quick results in the folder; the test fails where it does. Its page."""
    environment = {**os.environ, "ATTENTION_RESULTS": results, "ATTENTION_MODE": "quick", "HOME": results}
    done = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "--output-dir", results,
                           FOLDER / f"{name}.ipynb"], capture_output=True, text=True, env=environment, cwd=FOLDER)
    case.assertEqual(done.returncode, 0, done.stderr[-2000:])
    return Path(results, f"{name}.html").read_text(encoding="utf-8")
