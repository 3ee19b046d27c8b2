"""Hosts on one Linux machine, to try a cluster on: network namespaces with a switch between them.

    python deploy/hosts.py up 3                  # host1, host2, host3, and store: for S3
    python deploy/hosts.py run host1 COMMAND...  # as if typed there
    python deploy/hosts.py cut host2             # pull its cable out; `heal host2`: in again
    python deploy/hosts.py down                  # end what runs on them, and remove them

Needs root and iproute2. A host has a name, an address of the private network 10.87.0.0/24, ports of
its own and its own /tmp/ray; all else (files, memory, processors) is the machine's, and there is no
way out of the network. Nothing of the machine's own network is touched.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

_NETWORK = "10.87.0"
_STORE = "store"
_STORE_NUMBER = 100
_FOLDER = Path("/tmp")  # noqa: S108 - only root writes below it; see `up`
_RAY = _FOLDER / "ray"
_ENTER = """
hostname "$1" && mount --bind "$2/$1" /tmp/ray && mount --bind "$2/hosts" /etc/hosts || exit 1
shift 2
exec "$@"
"""


class HostsError(Exception):
    """What a user has to know: what was found, and what to do."""


@dataclass(frozen=True)
class Hosts:
    """Some hosts and the switch between them.

    Attributes:
        name: Begins the names of their namespaces; hosts of another name are another network.
    """

    name: str = "jepa-ray"

    @property
    def folder(self) -> Path:
        """Where each host has its /tmp/ray."""
        return _FOLDER / f"{self.name}-hosts"

    @property
    def names(self) -> list[str]:
        """The hosts that are up, `store` too."""
        ours = (space.removeprefix(f"{self.name}-") for space in self._spaces())
        return sorted(name for name in ours if name != "switch")

    def address(self, host: str) -> str:
        """Of a host, whether it is up or not."""
        number = _STORE_NUMBER if host == _STORE else int(host.removeprefix("host"))
        return f"{_NETWORK}.{number}"

    def up(self, count: int) -> None:
        """Make `host1` to `host<count>` and `store`; HostsError where that cannot be."""
        if not 1 <= count < _STORE_NUMBER:
            raise HostsError(f"from 1 to {_STORE_NUMBER - 1} hosts, not {count}")
        if self.names:
            raise HostsError(f"{', '.join(self.names)} are up: `down` removes them")
        self.down()  # what may be left of others
        names = [*(f"host{i + 1}" for i in range(count)), _STORE]
        with ExitStack() as undo:
            undo.callback(self.down)
            self._make_folder(names)
            self._make("switch")
            _ip("-n", self._space("switch"), "link", "add", "switch", "up", "type", "bridge")
            for name in names:
                self._plug(name)
            undo.pop_all()

    def down(self, patience: float = 10.0) -> None:
        """End what runs on the hosts, by force after so many seconds, and remove them."""
        spaces = self._spaces()
        _end(spaces, signal.SIGTERM, patience)
        _end(spaces, signal.SIGKILL, patience)
        for space in spaces:
            _ip("netns", "delete", space)
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            _RAY.rmdir()  # somebody's folder, if anything is in it

    def inside(self, host: str, *command: object) -> list[str]:
        """A command line that runs another one on a host, as the same process."""
        self._require(host)
        enter = ["unshare", "--uts", "sh", "-c", _ENTER, "enter", host, str(self.folder)]
        return ["ip", "netns", "exec", self._space(host), *enter, *map(str, command)]

    def cut(self, host: str) -> None:
        """Pull its cable out: it goes on running, and reaches only itself."""
        self._cable(host, "down")

    def heal(self, host: str) -> None:
        """Put its cable in again."""
        self._cable(host, "up")

    def _cable(self, host: str, state: str) -> None:
        self._require(host)
        _ip("-n", self._space("switch"), "link", "set", host, state)

    def _require(self, host: str) -> None:
        if host not in self.names:
            raise HostsError(f"no host {host!r}; up are: {', '.join(self.names) or 'none'}")

    def _make_folder(self, names: list[str]) -> None:
        _RAY.mkdir(exist_ok=True)
        self.folder.mkdir(mode=0o700)  # an error, where somebody else has it
        for name in names:
            (self.folder / name).mkdir()
        known = [("127.0.0.1", "localhost"), *((self.address(name), name) for name in names)]
        lines = [f"{address} {name}\n" for address, name in known]
        (self.folder / "hosts").write_text("".join(lines))

    def _make(self, host: str) -> None:
        _ip("netns", "add", self._space(host))
        _ip("-n", self._space(host), "link", "set", "lo", "up")

    def _plug(self, host: str) -> None:
        """Make a host and lay a cable between its `eth0` and the port of its name."""
        self._make(host)
        switch, space = self._space("switch"), self._space(host)
        ends = ["link", "add", host, "netns", switch, "type", "veth", "peer", "name", "eth0"]
        _ip(*ends, "netns", space)
        _ip("-n", switch, "link", "set", host, "master", "switch", "up")
        _ip("-n", space, "address", "add", f"{self.address(host)}/24", "dev", "eth0")
        _ip("-n", space, "link", "set", "eth0", "up")

    def _space(self, host: str) -> str:
        return f"{self.name}-{host}"

    def _spaces(self) -> list[str]:
        ours = re.compile(rf"{re.escape(self.name)}-(switch|{_STORE}|host\d+)")
        found = (line.split()[0] for line in _ip("netns", "list").splitlines() if line)
        return [space for space in found if ours.fullmatch(space)]


def _ip(*args: str) -> str:
    found = subprocess.run(["ip", *args], capture_output=True, text=True, check=False)
    if found.returncode:
        hint = "" if os.geteuid() == 0 else "; this needs root"
        raise HostsError(f"`ip {' '.join(args)}` failed: {found.stderr.strip()}{hint}")
    return found.stdout


def _end(spaces: list[str], how: signal.Signals, patience: float) -> None:
    """Send a signal to all processes of some namespaces, and wait until they are gone."""
    deadline, told = time.monotonic() + patience, set[str]()
    while left := {pid for space in spaces for pid in _ip("netns", "pids", space).split()}:
        for pid in left - told:
            with suppress(ProcessLookupError):
                os.kill(int(pid), how)
        told |= left
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)


def main() -> int:
    """The command line; returns its exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--name", default=Hosts.name, help="begins the names of the namespaces")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("up", help="make hosts").add_argument("count", type=int)
    verbs.add_parser("down", help="end what runs on them, and remove them")
    verbs.add_parser("cut", help="pull the cable of a host out").add_argument("host")
    verbs.add_parser("heal", help="put it in again").add_argument("host")
    run = verbs.add_parser("run", help="run a command on a host")
    run.add_argument("host")
    run.add_argument("command", nargs=argparse.REMAINDER)
    given = vars(parser.parse_args())
    hosts, verb = Hosts(given.pop("name")), given.pop("verb")
    try:
        if verb == "run":
            command = hosts.inside(given["host"], *(given["command"] or ["sh"]))
            os.execvp(command[0], command)
        getattr(hosts, verb)(**given)
    except (HostsError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if verb == "up":
        print(*(f"{name} {hosts.address(name)}" for name in hosts.names), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
