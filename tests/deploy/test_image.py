"""The image, by eye of a test: nothing here builds it."""

import re
import sys

import pytest
import yaml

import jepa_ray
from tests.deploy.shipped import (
    CLUSTERS,
    DOCKERFILE,
    MANIFESTS,
    REPO,
    cluster_specs,
    dockerfile_environment,
    instructions,
    pinned,
)


def copied() -> list[str]:
    """What comes from the repository."""
    lines = [line for line in instructions("COPY") if "--from=" not in line]
    return [part for line in lines for part in line.split()[:-1] if not part.startswith("--")]


@pytest.mark.parametrize("source", copied())
def test_everything_that_is_copied_exists_and_is_let_in(source):
    assert (REPO / source).exists()
    assert f"!{source.removeprefix('./')}" in (REPO / ".dockerignore").read_text().splitlines()


def test_nothing_else_is_let_in():
    allowed = [x[1:] for x in (REPO / ".dockerignore").read_text().splitlines() if x[:1] == "!"]
    assert set(allowed) == set(copied())


def test_versions_are_those_of_the_constraints():
    arguments = dict(re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE))
    assert arguments["TORCH_VERSION"] == pinned()["torch"]
    python = re.search(r"python:(\d+\.\d+\.\d+)-", arguments["PYTHON_IMAGE"])
    assert python
    assert python[1].rsplit(".", 1)[0] == f"{sys.version_info.major}.{sys.version_info.minor}"
    installs = [line for line in instructions("RUN") if "pip install" in line]
    assert installs
    assert all("-c constraints.txt" in line for line in installs)


def test_the_extras_that_are_installed_exist():
    import tomllib

    project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
    (wanted,) = re.findall(r"\.\[([\w,]+)\]", DOCKERFILE.read_text())
    assert set(wanted.split(",")) <= set(project["optional-dependencies"])


def test_the_image_runs_as_an_ordinary_user_and_keeps_no_secret():
    assert instructions("USER")[-1] == "1000:1000"
    assert "TOKEN=" not in DOCKERFILE.read_text()
    assert "SECRET" not in DOCKERFILE.read_text()


def test_the_image_has_our_environment_with_authentication_on():
    from jepa_ray.cluster import ENVIRONMENT

    found = {k: v for k, v in dockerfile_environment().items() if k.startswith("RAY_")}
    assert found == ENVIRONMENT | {"RAY_AUTH_MODE": "token"}


def test_ray_has_one_version_everywhere():
    assert {spec["rayVersion"] for spec in cluster_specs()} == {pinned()["ray"]}


def test_images_are_those_of_this_version():
    texts = [path.read_text() for path in (*MANIFESTS, *CLUSTERS)]
    tags = {tag for text in texts for tag in re.findall(r"jepa-ray:([\w.-]+)", text)}
    assert tags == {f"{jepa_ray.__version__}-cpu", f"{jepa_ray.__version__}-cuda"}
    aws = yaml.safe_load(CLUSTERS[0].read_text())
    gpus = [t for t in aws["available_node_types"].values() if t["resources"].get("GPU")]
    assert all(t["docker"]["worker_image"].endswith("-cuda") for t in gpus)
