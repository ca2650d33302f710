"""How many threads torch takes: on cores that are told to it, and on cores that are really busy."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from helpers import threads
from helpers.training import fit


@pytest.fixture
def cores(monkeypatch):
    """Eight cores; cores(idle, own) tells how many stood idle, and how many fit kept busy."""
    before = torch.get_num_threads()
    monkeypatch.setattr(threads.joblib, "cpu_count", lambda: 8)
    monkeypatch.setattr(threads, "_given", 8)
    monkeypatch.setattr(threads, "_chosen", before)
    monkeypatch.setattr(threads, "_seen", (0.0, 0.0, 0.0))

    def since(idle, own=0.0, seconds=10.0):
        last = threads._seen
        now = last[0] + seconds, last[1] + seconds * idle, last[2] + seconds * own
        monkeypatch.setattr(threads, "_clock", lambda: now)
        return monkeypatch

    yield since
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("idle", "own", "number"), [(7.8, 0.1, 8), (5, 0, 5), (2.2, 2.9, 5), (0, 3.1, 3), (0, 0.2, 1)]
)
def test_torch_gets_the_cores_that_others_leave(cores, idle, own, number):
    cores(idle, own)
    assert threads.share_cores() == torch.get_num_threads() == number


def test_torch_gets_no_more_threads_than_the_process_may_use_or_was_given(cores):
    patch = cores(8)
    patch.setattr(threads.joblib, "cpu_count", lambda: 3)  # affinity, or a container's quota
    assert threads.share_cores() == 3
    cores(8).setattr(threads, "_given", 2)  # OMP_NUM_THREADS=2
    assert threads.share_cores() == 2


def test_the_threads_come_back_when_the_others_are_gone(cores):
    cores(0, 1)
    assert threads.share_cores() == 1
    cores(7, 1)
    assert threads.share_cores() == 8


def test_what_was_seen_in_a_moment_decides_nothing(cores):
    cores(4)
    threads.share_cores()
    cores(0, seconds=0.05)
    assert threads.share_cores() == 4


def test_a_number_of_threads_that_the_reader_set_stays(cores):
    cores(8)
    threads.share_cores()
    torch.set_num_threads(3)
    cores(8)
    assert threads.share_cores() == torch.get_num_threads() == 3


def test_fit_shares_the_cores_before_it_trains(cores):
    cores(2)
    fit(nn.Linear(2, 1), lambda m, x: m(x).mean(), torch.ones(4, 2), epochs=1, progress=False)
    assert torch.get_num_threads() == 2


@pytest.mark.serial
def test_own_work_is_told_from_that_of_others():
    start, worked = threads._clock(), time.process_time()
    while time.process_time() - worked < 0.5:
        pass
    assert threads._clock()[2] - start[2] == pytest.approx(0.5, abs=0.1)


@pytest.mark.serial
def test_where_others_keep_all_cores_busy_one_thread_is_left(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "_chosen", before)
    work = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(work) for _ in range(2 * os.cpu_count())]
    try:
        time.sleep(0.5)
        before_them = threads._clock()
        monkeypatch.setattr(threads, "_seen", before_them)
        time.sleep(1.0)
        elapsed, idle, own = np.subtract(threads._clock(), before_them)
        assert idle < elapsed / 2
        assert own < elapsed / 2
        assert threads.share_cores() == 1
    finally:
        for process in busy:
            process.kill()
            process.wait()
        torch.set_num_threads(before)
