"""Whether this machine can make hosts."""

import os
import shutil

import pytest

from deploy.hosts import Hosts, HostsError


def require_hosts() -> None:
    """Skip a test where there are no network namespaces to be had."""
    if os.geteuid() != 0:
        pytest.skip("hosts are network namespaces, which only root can make")
    if not shutil.which("ip"):
        pytest.skip("hosts are network namespaces: no `ip`, install iproute2")
    try:
        Hosts("jrprobe").up(1)
    except HostsError as error:
        pytest.skip(f"no network namespaces here: {error}")
    finally:
        Hosts("jrprobe").down()
