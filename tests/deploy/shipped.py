"""What is shipped for a cluster, as the tests read it."""

import re
from pathlib import Path
from typing import Any

import yaml

REPO = Path(__file__).resolve().parents[2]
DEPLOY = REPO / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
CLUSTERS = [REPO / "cluster.yaml", DEPLOY / "on-premise.yaml"]


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def manifests(*kinds: str) -> list[dict[str, Any]]:
    """All documents of these kinds."""
    return [d for path in MANIFESTS for d in documents(path) if d["kind"] in kinds]


def cluster_specs() -> list[dict[str, Any]]:
    """The specification of each Ray cluster on Kubernetes."""
    return [m["spec"].get("rayClusterSpec", m["spec"]) for m in manifests("RayCluster", "RayJob")]


def pods() -> list[dict[str, Any]]:
    """The specification of each pod."""
    found = []
    for spec in cluster_specs():
        found += [g["template"]["spec"] for g in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]]
    submitters = [m["spec"].get("submitterPodTemplate") for m in manifests("RayJob")]
    return found + [template["spec"] for template in submitters if template]


def pinned() -> dict[str, str]:
    """Versions by package, of constraints.txt."""
    lines = (REPO / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def instructions(name: str) -> list[str]:
    """What follows an instruction of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    return re.findall(rf"^{name} (.+)$", text, re.MULTILINE)


def dockerfile_environment() -> dict[str, str]:
    return dict(re.findall(r"(\w+)=(\S+)", instructions("ENV")[-1]))


def env_file() -> dict[str, str]:
    lines = (DEPLOY / "ray.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
