"""One cluster for all tests here; each begins with a whole one and a bucket of its own."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.cluster import Cluster, cluster
from tests.hosts_here import require_hosts
from tests.s3.conftest import S3, server_program


@pytest.fixture(scope="session")
def hosts() -> Iterator[Cluster]:
    require_hosts()
    if server_program() is None:
        pytest.skip("no S3 server: `make .venv-s3/.installed`, or JEPA_RAY_MOTO_SERVER names one")
    with cluster() as found:
        yield found


@pytest.fixture
def whole(hosts: Cluster) -> Cluster:
    hosts.mend()
    return hosts


@pytest.fixture
def s3(whole: Cluster) -> S3:
    return whole.bucket()


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keeps what came out, as a line of JSON in the file that JEPA_RAY_CHAOS_RECORD names."""

    def keep(outcome: str) -> None:
        if place := os.environ.get("JEPA_RAY_CHAOS_RECORD"):
            with Path(place).open("a") as file:
                file.write(json.dumps({"test": request.node.name, "outcome": outcome}) + "\n")

    return keep
