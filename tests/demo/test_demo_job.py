"""The demo: the whole main job in one go, small."""

import json
import re

import pytest

from jepa_ray.adapters import select
from jepa_ray.demo import run_demo
from jepa_ray.demo.job import skilled_within
from jepa_ray.synth import DATASETS

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_session")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory, ray_session):
    """A folder with a demo in it, and what it came to."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, run_demo(folder, records=120, steps=3)


def test_the_demo_leaves_windows_a_checkpoint_an_evaluation_and_a_summary(demo):
    folder, result = demo
    document = json.loads(json.dumps(result.document(), allow_nan=False))
    assert set(document["datasets"]) == {a.info.dataset for a in select(["all"])}
    found = {name: m["status"] for name, m in document["datasets"].items()}
    assert {name for name, status in found.items() if status == "completed"} == set(DATASETS)
    assert {found[name] for name in found.keys() - set(DATASETS)} == {"blocked"}
    assert list((folder / "runs").rglob("schedule_jepa.pt"))
    summary = result.summary.read_text()
    assert "Verdict:" in summary
    assert all(f"| {dataset} | {status} |" in summary for dataset, status in found.items())
    skilled, told = skilled_within(result.evaluated)
    assert f"best constant per slot in {skilled} of {told}: the interval" in summary
    verbs = re.findall(r"^    \.venv/bin/jepa-ray ([a-z]+) ", summary, re.MULTILINE)
    assert verbs == ["inspect", "evaluate", "probe", "embed", "report", "confirm"]


def test_a_second_demo_in_the_same_folder_prepares_nothing(demo):
    again = run_demo(demo[0], records=120, steps=3)
    assert all(m["unchanged"] for m in again.prepared.manifests.values())
