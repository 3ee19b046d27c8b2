"""Curves of more datasets than a page has room for."""

import json

from jepa_ray.report.blocks import Figure
from jepa_ray.report.results import open_results
from jepa_ray.report.sections.curves import MAX_PANELS, PARTS, _largest
from tests.report.made_results import write_run

NAMES = [f"d{i:02d}" for i in range(MAX_PANELS + 2)]


def test_of_many_datasets_those_of_most_windows_are_drawn_and_the_others_counted(tmp_path):
    write_run(tmp_path / "six", datasets=NAMES, evaluated=False, probed=False)
    for each in (tmp_path / "six").glob("pass*/dataset*"):
        each.rename(each.with_name(NAMES[int(each.name.removeprefix("dataset"))]))
    confirmed = tmp_path / "six" / "confirmation.json"
    document = json.loads(confirmed.read_text())
    for i, name in enumerate(NAMES):
        document["datasets"][name]["windows"] = 100 + i
    confirmed.write_text(json.dumps(document))
    results = open_results(str(tmp_path / "six"))
    assert _largest(results, NAMES) == NAMES[2:]
    captions = [block.caption for block in PARTS[0](results) if isinstance(block, Figure)]
    assert captions[-1].endswith("Drawn are the 24 datasets of most windows; 2 more are left out.")
