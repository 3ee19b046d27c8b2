"""One cluster for all tests here; each begins with a whole one and a bucket of its own."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jepa_ray.config import PrepareConfig
from jepa_ray.synth import synthesize
from tests.chaos.cluster import Cluster, cluster
from tests.chaos.undisturbed import LONG, NAMES, RECORDS, Rows, rows, weights
from tests.confirm.runs import corpus
from tests.confirm.without_ray import Numbers, numbers_without_ray
from tests.hosts_here import require_hosts
from tests.prepared_corpus import prepare_raw
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


@pytest.fixture(scope="session")
def raw(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    for name in NAMES:
        synthesize(name, root, seed=1, records=RECORDS)
    return root


@pytest.fixture(scope="session")
def calm_windows(raw, tmp_path_factory) -> Rows:
    """The windows of the undisturbed run, without Ray and on a disk."""
    out = tmp_path_factory.mktemp("calm")
    manifests = {name: prepare_raw(out, raw, name, PrepareConfig()) for name in NAMES}
    return rows(manifests, lambda name, part: out / name / "windows" / part)


@pytest.fixture(scope="session")
def processed(tmp_path_factory) -> Path:
    return Path(corpus(tmp_path_factory.mktemp("corpus")))


@pytest.fixture(scope="session")
def calm_passes(processed, tmp_path_factory) -> tuple[Numbers, dict[str, bytes]]:
    """Losses and weights of the undisturbed trainings, one by one and without Ray."""
    folder = tmp_path_factory.mktemp("calm")
    found = numbers_without_ray(str(processed), folder, **LONG)
    return found, weights(folder)
