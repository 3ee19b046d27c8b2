"""The docs keep up with the code."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from jepa_ray import errors
from jepa_ray.cli import app

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs"
VERBS = (
    "demo", "synth", "sources", "normalize-jira", "prepare", "inspect", "smoke", "train", "confirm",
    "verify", "evaluate", "probe", "embed", "report", "export", "import", "doctor", "submit",
)  # fmt: skip


def headings(page: Path) -> set[str]:
    return {m.strip("` ") for m in re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)}


def test_the_generated_pages_are_up_to_date():
    found = subprocess.run(
        [sys.executable, DOCS / "generate.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_heading(verb):
    assert f"jepa-ray {verb}" in headings(DOCS / "cli.md")


def test_every_error_has_a_heading():
    names = {name for name in vars(errors) if name.endswith("Error")}
    assert names <= headings(DOCS / "errors.md")


@pytest.mark.parametrize("page", [REPO / "README.md", *sorted(DOCS.rglob("*.md"))], ids=str)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_in_the_readme_has_a_verb_that_exists():
    text = (REPO / "README.md").read_text()
    assert set(re.findall(r"^ +jepa-ray ([a-z-]+)", text, re.MULTILINE)) <= set(VERBS)


def test_help_the_readme_and_the_page_of_verbs_have_one_order():
    page = re.findall(r"^## jepa-ray (\S+)$", (DOCS / "cli.md").read_text(), re.MULTILINE)
    assert [app.VERBS[i].run.__module__ for i in range(len(page))] == [
        f"jepa_ray.cli.{verb.replace('-', '_').replace('import', 'import_')}" for verb in page
    ]
    used = re.findall(r"^    jepa-ray ([a-z-]+)", (REPO / "README.md").read_text(), re.MULTILINE)
    assert used == sorted(used, key=page.index)
    assert {"synth", "verify", "probe", "report"} <= set(used)


def test_a_blank_line_stands_before_each_heading():
    for page in [REPO / "README.md", *DOCS.rglob("*.md")]:
        assert not re.search(
            r"[^\n]\n#{2,} ", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        )
