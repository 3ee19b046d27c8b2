"""What docs/cluster.md says under "Three hosts on one Linux machine", typed as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.hosts import Hosts
from tests.hosts_here import require_hosts

REPO = Path(__file__).resolve().parents[2]
_SECTION = "## Three hosts on one Linux machine"


def commands() -> str:
    """The indented lines of the section."""
    page = (REPO / "docs" / "cluster.md").read_text()
    section = page.split(f"{_SECTION}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^    (.*)$", section, flags=re.MULTILINE)
    return "\n".join(line for line in lines if "activate" not in line)


pytestmark = [pytest.mark.ray, pytest.mark.s3, pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def nobody_up():
    require_hosts()
    hosts = Hosts()
    if hosts.names:
        pytest.skip("hosts of somebody are up: `python deploy/hosts.py down` removes them")
    yield
    hosts.down()


def test_the_page_leads_to_a_verified_run_although_a_host_is_lost(nobody_up, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "AWS_"))}
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with (tmp_path / "said.txt").open("w+") as said:  # no pipe: what it starts holds it open
        found = subprocess.run(
            ["bash", "-e", "-c", commands()],
            stdout=said, stderr=said, check=False, cwd=REPO,
            env=environment | {"HOME": str(tmp_path), "PATH": path, "PYTHONPATH": str(REPO)},
        )  # fmt: skip
        said.seek(0)
        text = said.read()
    assert found.returncode == 0, text[-8000:]
    assert "all is well" in text
    assert text.count("SUCCEEDED") == 4, text
    assert "marked dead" in text
    assert re.search(r"All \d+ checks are ok\.", text)
