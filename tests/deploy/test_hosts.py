"""Hosts on one machine: they see each other and nothing else, and leave nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.hosts import Hosts, HostsError
from tests.hosts_here import require_hosts

_CALL = "import socket; socket.create_connection(('host2', 80), 1)"
_LISTEN = (
    "import socket; s = socket.create_server(('10.87.0.2', 80)); print(1, flush=True); s.accept()"
)


@pytest.fixture
def hosts():
    require_hosts()
    found = Hosts("jrtest")
    found.up(2)
    try:
        yield found
    finally:
        found.down()


def calls(hosts: Hosts, code: str = _CALL) -> bool:
    """Whether a line of Python does on host1."""
    command = hosts.inside("host1", sys.executable, "-c", code)
    return not subprocess.run(command, capture_output=True, check=False, timeout=20).returncode


def test_a_host_is_reached_by_its_name_as_long_as_its_cable_is_in(hosts):
    listen = hosts.inside("host2", sys.executable, "-c", _LISTEN)
    with subprocess.Popen(listen, stdout=subprocess.PIPE) as server:
        assert server.stdout.readline()
        hosts.cut("host2")
        assert not calls(hosts)
        hosts.heal("host2")
        assert calls(hosts)


def test_a_host_has_a_name_a_folder_of_rays_and_no_way_out(hosts):
    assert calls(hosts, "import socket; assert socket.gethostname() == 'host1'")
    assert calls(hosts, "open('/tmp/ray/of-this-host', 'w')")
    assert (hosts.folder / "host1" / "of-this-host").exists()
    assert not calls(hosts, "import socket; socket.create_connection(('192.0.2.1', 80), 1)")


def test_what_runs_on_hosts_ends_with_them(hosts):
    with subprocess.Popen(hosts.inside("store", "sleep", "1000")) as process:
        hosts.down()
        assert process.wait(timeout=5)
    assert hosts.names == []
    assert not hosts.folder.exists()


def test_hosts_are_not_made_twice(hosts):
    with pytest.raises(HostsError, match="host1, host2, store are up: `down` removes them"):
        hosts.up(1)


def test_a_host_that_is_not_up_is_a_mistake_that_names_those_that_are(hosts):
    with pytest.raises(HostsError, match="no host 'host7'; up are: host1, host2, store"):
        hosts.cut("host7")


@pytest.mark.skipif(not shutil.which("ip"), reason="no iproute2")
def test_the_command_says_what_is_wrong_in_one_line():
    script = Path(__file__).parents[2] / "deploy" / "hosts.py"
    found = subprocess.run(
        [sys.executable, script, "run", "host99", "true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 2
    assert found.stderr.startswith("error: no host 'host99'")
