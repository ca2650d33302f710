"""How many threads torch takes, where other work shares the cores."""

import time

import joblib
import psutil
import torch


def _clock() -> tuple[float, float, float]:
    """Seconds since some start: on the clock, of all cores idle, and of this process's work."""
    cores, own = psutil.cpu_times(), psutil.Process().cpu_times()
    return time.monotonic(), cores.idle + getattr(cores, "iowait", 0.0), own.user + own.system


_given = _chosen = torch.get_num_threads()  # all cores, or what OMP_NUM_THREADS says
_seen = _clock()


def share_cores() -> int:
    """Set torch's threads to the cores that are free for this process; fit calls it.

    Two threads that wait for each other on busy cores are many times slower than one. Free are the
    cores that stood idle since the last call, and those that this process kept busy itself; at most
    those that it may use (affinity, and the quota of a container). Threads that you set yourself
    are left alone.

    Returns:
        The number of threads.
    Source:
        benchmarks/README.md, "A class on one machine".
    """
    global _chosen, _seen
    now = _clock()
    elapsed, idle, own = (new - old for new, old in zip(now, _seen, strict=True))
    if torch.get_num_threads() == _chosen and elapsed > 0.1:  # the counters tick 100 times a second
        free = round((idle + own) / elapsed)
        _chosen, _seen = max(1, min(_given, joblib.cpu_count(), free)), now
        torch.set_num_threads(_chosen)
    return torch.get_num_threads()
