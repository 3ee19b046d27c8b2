"""One cluster for all tests here; each begins with a whole one and a bucket of its own."""

from collections.abc import Iterator

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
