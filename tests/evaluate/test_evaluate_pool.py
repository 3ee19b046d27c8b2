"""Processes that share the work of `evaluate` and `probe`."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from jepa_ray.errors import StageError
from jepa_ray.evaluate.pool import processes

_POOL = """
import os, time
from jepa_ray.evaluate.pool import processes

if __name__ == "__main__":
    with processes(1, does="", way_out="") as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 600).result()
"""


def test_no_process_works_on_for_a_command_that_was_killed(tmp_path):
    (tmp_path / "pool.py").write_text(_POOL)
    with subprocess.Popen(
        [sys.executable, tmp_path / "pool.py"], stdout=subprocess.PIPE, text=True
    ) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    for _ in range(100):
        if not _works(worker):
            return
        time.sleep(0.1)
    os.kill(worker, signal.SIGKILL)
    pytest.fail("the worker works on")


def _works(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill_one():
    with processes(1, does="counts", way_out="count again") as pool:
        os.kill(pool.submit(os.getpid).result(), signal.SIGKILL)
        pool.submit(os.getpid).result()


def test_a_process_that_was_killed_is_one_message():
    said = "a process that counts was killed, as when memory runs out; count again"
    with pytest.raises(StageError, match=said):
        _kill_one()
