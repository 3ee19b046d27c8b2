"""The page in a real browser, offline: it is drawn, and the browser has nothing to complain of."""

import io
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib.image import imread

from jepa_ray.report import write_report
from tests.report.made_results import HOSTILE, write_run

BROWSER = next((b for b in ("chromium", "google-chrome", "chrome") if shutil.which(b)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or google-chrome on PATH")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    run = write_run(tmp_path_factory.mktemp("seen") / "six", datasets=HOSTILE[:4], seeds=(1, 2))
    write_report(str(run))
    return run / "report" / "index.html"


def shot(page, folder, *, width, height, more=()):
    """The picture, float (height, width, 3) in [0, 1], and what the browser said."""
    picture = folder / "shot.png"
    found = subprocess.run(
        [
            BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--disable-dev-shm-usage", "--no-first-run", "--enable-logging=stderr",
            f"--user-data-dir={folder / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--screenshot={picture}", f"--window-size={width},{height}", *more, page.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert picture.exists(), found.stderr[-2000:]
    return imread(io.BytesIO(picture.read_bytes()))[..., :3], found.stderr


@pytest.mark.parametrize(
    ("width", "dark"), [(1200, False), (1200, True), (390, False)], ids=["wide", "dark", "phone"]
)
def test_the_page_is_drawn_and_nothing_is_complained_of(page, tmp_path, width, dark):
    more = [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
    picture, said = shot(page, tmp_path, width=width, height=3000, more=more)
    assert "CONSOLE" not in said
    assert picture.shape[:2] == (3000, width)
    ground = np.median(picture)
    assert ground < 0.2 if dark else ground > 0.9
    inked = np.abs(picture - ground).max(axis=2) > 0.25
    assert inked.mean() > 0.02
    thirds = inked.reshape(6, 500, width).mean(axis=(1, 2))
    assert (thirds > 0.005).all()
