"""Several kernels at once on one machine: does every one finish, how long, how much memory?

    make bench-classroom                                     # notebook 05, eight kernels
    .venv/bin/python benchmarks/classroom.py 4 notebooks/02_autoencoder.ipynb

First one kernel alone, then all at once. If each used one core, and n of them shared c cores
without loss, all would take n/c times as long as one: the last line says how far they are from it.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import nbformat
import psutil
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "05_variational_autoencoder.ipynb"


def run_here(path: Path) -> None:
    """Run a notebook in a kernel of its own; print its seconds and, in MB, the most memory that it
    held after a cell: all of it, and what no other process shares (libraries are shared)."""
    start = time.perf_counter()
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources)
    held = []
    with client.setup_kernel():
        kernel = psutil.Process(client.km.provisioner.pid)
        for i, cell in enumerate(notebook.cells):
            client.execute_cell(cell, i)
            held.append(kernel.memory_full_info())
    most = max(m.rss for m in held), max(m.uss for m in held)
    print(time.perf_counter() - start, *(value / 2**20 for value in most))


def report(n: int, path: Path) -> tuple[float, int]:
    """Start n runs together; print what they took. Returns the seconds of all and the failures."""
    start = time.perf_counter()
    command = [sys.executable, __file__, "--one", str(path)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(n)]
    outputs = [run.communicate()[0] for run in runs]
    total, failed = time.perf_counter() - start, sum(run.returncode != 0 for run in runs)
    print(f"{n} at once: {total:.0f} s, {failed} failed")
    rows = [[float(v) for v in text.split()] for text in outputs if text]
    for i, name in enumerate(("s", "MB of memory", "MB not shared")):
        low, middle, high = (round(f([row[i] for row in rows])) for f in (min, median, max))
        print(f"  each: {middle} {name} ({low} to {high})", flush=True)
    return total, failed


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_here(Path(sys.argv[2]))
        sys.exit()
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    path = Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else NOTEBOOK
    cores = os.cpu_count()
    print(f"{path.name}, {cores} cores")
    alone, failed_alone = report(1, path)
    total, failed = report(n, path)
    fair = n * alone / cores
    print(f"{n} runs alone / {cores} cores: {fair:.0f} s; at once {total / fair:.2f} times that")
    sys.exit(bool(failed or failed_alone))
