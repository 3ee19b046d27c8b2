import json
import threading
import time

import pytest

from jepa_ray.confirm.hold import exclusive_soon, hold
from jepa_ray.errors import UsageError
from jepa_ray.storage import exclusive, exists, read_json, write_json

RUN = "memory://lease-{}/a"


def test_a_run_on_a_disk_is_held_once(tmp_path):
    held = pytest.raises(UsageError, match="another process is at work: confirm into")
    with hold(str(tmp_path)), held:
        hold(str(tmp_path)).__enter__()
    with hold(str(tmp_path)):
        pass


def test_a_run_in_a_store_is_held_while_its_holder_lives(request):
    run = RUN.format(request.node.name)
    with hold(run, beat=0.1):
        with pytest.raises(UsageError, match=r"another process, on .*, is at work: confirm into"):
            hold(run, beat=0.4).__enter__()
        assert read_json(f"{run}/.lease")["beat"] > 0
    assert not exists(f"{run}/.lease")


def test_the_lease_of_a_killed_holder_is_taken(request):
    run = RUN.format(request.node.name)
    write_json(f"{run}/.lease", {"owner": "x", "host": "gone", "beat": 7})
    with hold(run, beat=0.05):
        assert read_json(f"{run}/.lease")["owner"] != "x"


def test_a_lease_that_is_no_lease_is_taken(request):
    run = RUN.format(request.node.name)
    write_json(f"{run}/.lease", [1])
    with hold(run, beat=0.05):
        assert "owner" in read_json(f"{run}/.lease")


def test_of_two_that_begin_together_the_last_one_holds(request):
    run = RUN.format(request.node.name)

    def other() -> None:
        time.sleep(0.1)
        write_json(f"{run}/.lease", {"owner": "other", "host": "there", "beat": 0})

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(UsageError, match="another process, on there, is at work"):
        hold(run, beat=0.5).__enter__()
    thread.join()


def test_a_holder_that_finds_another_one_lets_it_have_the_run(request):
    """Its first write took so long that another came in between."""
    run = RUN.format(request.node.name)
    with hold(run, beat=0.1) as require_held:
        require_held()
        write_json(f"{run}/.lease", {"owner": "other", "host": "there", "beat": 0})
        time.sleep(0.5)
        with pytest.raises(UsageError, match="another process, on there, is at work"):
            require_held()
    assert read_json(f"{run}/.lease") == {"owner": "other", "host": "there", "beat": 0}


def test_a_lease_that_was_taken_at_the_very_end_is_left_there(request):
    run = RUN.format(request.node.name)
    with hold(run, beat=5):
        write_json(f"{run}/.lease", {"owner": "other", "host": "there", "beat": 0})
    assert read_json(f"{run}/.lease")["owner"] == "other"


def test_a_folder_that_is_let_go_in_a_moment_is_waited_for(tmp_path):
    held = exclusive(tmp_path, "x")
    held.__enter__()
    thread = threading.Timer(0.3, lambda: held.__exit__(None, None, None))
    thread.start()
    began = time.monotonic()
    with exclusive_soon(str(tmp_path), "train into"):
        assert 0.2 < time.monotonic() - began < 10
    thread.join()


def test_a_lease_is_json(request):
    run = RUN.format(request.node.name)
    with hold(run, beat=0.05):
        assert set(read_json(f"{run}/.lease")) == {"owner", "host", "beat"}
        json.dumps(read_json(f"{run}/.lease"))
