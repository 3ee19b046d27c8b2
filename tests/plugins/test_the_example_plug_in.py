"""The example of docs/adding-a-source.md, from the page alone, the way a user goes."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-source.md"
EXAMPLE = Path(__file__).parent / "example_bookings"
LEFT_OVERS = shutil.ignore_patterns(
    "__pycache__", "build", "*.egg-info", ".*", "windows", "reports"
)


def shown() -> dict[str, str]:
    """The files of the page."""
    blocks = re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```\n", PAGE.read_text(), re.DOTALL)
    return dict(blocks)


def commands(verb: str) -> list[list[str]]:
    """The arguments of the page's `jepa-ray VERB` commands."""
    lines = re.findall(rf"^ +jepa-ray ({verb}\b.*)$", PAGE.read_text(), re.MULTILINE)
    return [shlex.split(line) for line in lines]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files of the page, and the package installed in `site` below it."""
    folder = tmp_path_factory.mktemp("user")
    for name, text in shown().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
         "--no-build-isolation", "--disable-pip-version-check", "--target", "site", "."],
        cwd=folder, check=True, timeout=120, capture_output=True,
    )  # fmt: skip
    return folder


def jepa_ray(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, [str(folder / "site"), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "jepa_ray", *args],
        cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True,
        check=False, timeout=240,
    )  # fmt: skip


def test_the_page_shows_the_files_of_the_example(tmp_path):
    shutil.copytree(EXAMPLE, tmp_path / "example", ignore=LEFT_OVERS)
    files = [p for p in (tmp_path / "example").rglob("*") if p.is_file()]
    assert shown() == {p.relative_to(tmp_path / "example").as_posix(): p.read_text() for p in files}


def test_sources_lists_the_new_dataset(folder):
    (args,) = commands("sources")
    found = jepa_ray(folder, *args, "--json")
    assert found.returncode == 0, found.stderr
    (entry,) = (e for e in json.loads(found.stdout)["sources"] if e["dataset"] == "bookings")
    assert (entry["status"], entry["group"]) == ("available", "calendar")
    assert entry["bytes"] == (folder / "data/bookings/2026.csv").stat().st_size


@pytest.mark.ray
def test_prepare_and_inspect_take_the_new_dataset(folder):
    (args,) = commands("prepare")
    found = jepa_ray(folder, *args, "--json")
    assert found.returncode == 0, found.stderr
    manifest = json.loads(found.stdout)["datasets"]["bookings"]
    assert (manifest["records"], manifest["windows"]) == (4, 3)
    assert (manifest["skipped"], manifest["quarantined"]) == ({"cancelled": 1}, {})
    (args,) = commands("inspect")
    found = jepa_ray(folder, *args)
    assert found.returncode == 0, found.stderr
    assert "bookings: 3 windows" in found.stdout
    found = jepa_ray(folder, *args, "--json")
    busy = json.loads(found.stdout)["window"]["features"]["calendar_event"]
    assert [slot for slot, value in enumerate(busy) if value] == list(range(36, 42))
