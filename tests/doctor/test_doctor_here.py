"""The doctor on this machine: quick, and without Ray."""

import socket
import subprocess
import sys

import pytest

from jepa_ray.doctor import facts

_WITHOUT_RAY = """
import sys
from jepa_ray.doctor import examine
print(*(finding.line() for finding in examine(storage=sys.argv[1])), sep="\\n")
assert "ray" not in sys.modules
"""


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_this_machine_passes_without_starting_ray(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", _WITHOUT_RAY, tmp_path / "runs"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    assert "version of Python: 3.11" in found.stdout
    assert f"{tmp_path / 'runs'} is writable" in found.stdout
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_storage_that_cannot_be_written_fails_with_its_path(command, tmp_path):
    (tmp_path / "file").write_text("")
    found = command("doctor", "--storage", tmp_path / "file" / "runs", "--json")
    assert found.code == 1
    assert found.json["ok"] is False
    (finding,) = [f for f in found.json["findings"] if f["check"] == "storage"]
    assert str(tmp_path / "file" / "runs") in finding["said"]
    assert finding["advice"]


def test_an_address_where_nothing_answers_fails_at_once(command):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = command("doctor", "--address", f"127.0.0.1:{probe.getsockname()[1]}")
    assert found.code == 1
    assert "FAIL connection: nothing answers" in found.out


@pytest.mark.parametrize("address", ["ray://head:10001", "head", "head:x"])
def test_an_address_of_another_form_is_a_users_mistake(command, address):
    found = command("doctor", "--address", address)
    assert found.code == 2
    assert "host:port" in found.err


def test_a_folder_that_is_not_shared_is_told_from_one_that_is(tmp_path):
    facts.put_marker(str(tmp_path), "m")
    assert facts.storage_fault(str(tmp_path), "m") is None
    assert "another folder here" in (facts.storage_fault(str(tmp_path), "n") or "")
    facts.take_marker(str(tmp_path), "m")
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_others_can_read_is_found(tmp_path, monkeypatch):
    token = tmp_path / "auth_token"
    token.write_text("x")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    token.chmod(0o644)
    assert facts.gather(None, None).open_token == str(token)
    token.chmod(0o600)
    assert facts.gather(None, None).open_token == ""


def test_ports_that_answer_are_told_from_ports_that_do_not():
    with socket.socket() as listening, socket.socket() as silent:
        for one in (listening, silent):
            one.bind(("127.0.0.1", 0))
        listening.listen()
        places = [one.getsockname() for one in (listening, silent)]
        assert facts.unreachable(places) == [f"127.0.0.1:{places[1][1]}"]


def test_what_is_of_a_cluster_is_said_to_be_left_out(command):
    found = command("doctor")
    assert "left out, for they are of a cluster (--address): nodes, object store" in found.out
    assert "node(s)" not in found.out
    assert "clock" in command("doctor", "--json").json["left_out"]
