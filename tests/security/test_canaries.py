"""Secrets planted in the environment show up nowhere that a preparation and a training write."""

import logging
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from jepa_ray.cluster import session
from jepa_ray.train.keeper import write_config
from tests.prepared_corpus import JIRA, issue_lines, write_issues
from tests.train.trainings import CONFIG, data_of, kept

CANARIES = {
    "AWS_ACCESS_KEY_ID": "canaryAKIA4Rt",
    "AWS_SECRET_ACCESS_KEY": "canarySecret9Wv",
    "AWS_SESSION_TOKEN": "canarySession2Xc",
    "JEPA_RAY_ACTOR_SALT": "canarySalt5Zp",
    "RAY_AUTH_TOKEN": "canaryRayToken8Mb",
}


def contents(folder: Path) -> dict[str, bytes]:
    """All files; compressed Parquet as the text of its tables, too."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            found[str(path)] = path.read_bytes()
        if path.suffix == ".parquet":
            found[f"{path} (read)"] = str(pq.read_table(path).to_pylist()).encode()
    return found


def leaks(texts: dict[str, bytes]) -> list[tuple[str, str]]:
    return [
        (name, place)
        for place, text in texts.items()
        for name, canary in CANARIES.items()
        if canary.encode() in text
    ]


@pytest.mark.ray
def test_no_log_manifest_report_or_checkpoint_has_a_credential(
    ray_session, command, tmp_path, monkeypatch, caplog
):
    for name, canary in CANARIES.items():
        monkeypatch.setenv(name, canary)
    caplog.set_level(logging.DEBUG)
    write_issues(tmp_path / "raw", issue_lines(64))
    out = tmp_path / "out"
    found = command(
        "prepare", "--dataset", JIRA, "--data-root", tmp_path / "raw", "--processed-dir",
        out / "p", "--reports-dir", out / "r", "--run-id", "a", "--json",
    )  # fmt: skip
    assert found.code == 0, found.err
    write_config(str(out / "run"), CONFIG.model_dump(mode="json"))
    kept(data_of(str(out / "p")), out / "run")
    texts = contents(out) | {"log": caplog.text.encode(), "out": (found.out + found.err).encode()}
    assert {"manifest.json", "a.json", "schedule_jepa.pt"} <= {Path(name).name for name in texts}
    assert leaks(texts) == []


def test_a_leak_would_be_found(tmp_path):
    (tmp_path / "x.log").write_text(f"token={CANARIES['RAY_AUTH_TOKEN']}")
    assert leaks(contents(tmp_path)) == [("RAY_AUTH_TOKEN", str(tmp_path / "x.log"))]


@pytest.mark.ray
def test_the_session_hands_no_credential_to_rays_metadata(ray_session, monkeypatch):
    """What a job is started with is kept by Ray and shown in its dashboard."""
    import ray

    for name, canary in CANARIES.items():
        monkeypatch.setenv(name, canary)
    with session():
        shown = str(ray.get_runtime_context().runtime_env)
    assert leaks({"runtime_env": shown.encode()}) == []
