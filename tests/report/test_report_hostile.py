"""Names and files that mean harm: they are shown as text, or as a sentence about the file."""

import json
import re
from random import Random

import pytest

from jepa_ray.report import write_report
from tests.report.made_results import (
    DATASETS,
    HOSTILE,
    evaluation,
    probes,
    write_prepared,
    write_run,
    write_training,
)
from tests.report.pages import Page


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "deep"
    run = write_run(folder / "six", datasets=HOSTILE, seeds=(1, 2))
    write_report(str(run))
    return run


@pytest.fixture(scope="module")
def page(hostile):
    return Page((hostile / "report" / "index.html").read_text())


def cards(run):
    return [*(run / "report" / "datasets").glob("*"), run / "report" / "model_card.md"]


def test_a_hostile_name_adds_no_tag(page):
    assert page.names.isdisjoint({"script", "img", "link", "iframe"})
    assert not page.attributes("onerror", "onload", "onclick")


def test_a_hostile_name_is_shown_as_what_it_is(page):
    assert "<script>alert(1)</script>" in page.text
    assert '"><img src=x onerror=alert(1)>' in page.text
    assert "$x_{1}$ \\frac{1" in page.text
    assert "{{ 7*7 }}" in " ".join(HOSTILE)
    assert " 49" not in page.text.replace("1,49", "").replace("0.49", "")


def test_control_characters_and_direction_marks_are_gone(hostile):
    text = (hostile / "report" / "index.html").read_text()
    assert not {"\0", "\x1b", "\u202e", "\ud800"} & set(text)
    assert "nul new line" in text


def test_a_very_long_name_is_cut(page):
    assert "long" * 20 not in page.text


def test_a_hostile_name_refers_to_nothing_outside(page):
    found = page.attributes("src", "href", "xlink:href")
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in found)


def test_cards_stay_in_their_folder_and_have_plain_names(hostile):
    folder = hostile / "report"
    written = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert len(written) == 2 + len(HOSTILE) + 1
    plain = re.compile(r"(datasets/)?[A-Za-z0-9][A-Za-z0-9_.-]*")
    assert all(plain.fullmatch(p) for p in written)
    assert not list(hostile.parent.glob("x*"))


def test_cards_have_neither_links_nor_tags_nor_new_cells_from_names(hostile):
    for card in cards(hostile):
        text = card.read_text()
        assert "<script" not in text.replace("\\<script", "")
        assert "](http" not in text
        assert "http://" not in text
        for table in text.split("\n\n"):
            lines = [line for line in table.splitlines() if line.startswith("|")]
            assert len({line.replace("\\|", "").count("|") for line in lines}) <= 1


WRONG = [
    ("evaluation.json", "{", "evaluation.json is not JSON"),
    ("evaluation.json", "[]", "evaluation.json is not a JSON object"),
    ("evaluation.json", "[" * 100_000, "evaluation.json is not JSON"),
    ("evaluation.json", '{"trained": {"loss": NaN}}', "$.trained.loss is no number that"),
    ("evaluation.json", '{"trained": {"loss": 1e999}}', "evaluation.json: $.trained.loss"),
    ("evaluation.json", '{"status": 3, "verdict": "x"}', "got `int` - at `$.status`"),
    ("evaluation.json", "{}", "evaluation.json: Object missing required field"),
    ("evaluation.json", '{"passes": 3}', "Object expected - at `$.passes`"),
    ("probes.json", '{"tasks": {"a": 1}}', "probes.json: Expected `object`, got `int` -"),
    ("probes.json", "\x00\xff", "probes.json is not JSON"),
    ("metrics.jsonl", '{"step": 0}\nnonsense\n', "metrics.jsonl, line 2 is not JSON"),
    ("metrics.jsonl", '{"step": "x"}\n', "metrics.jsonl: Expected `int`, got `str`"),
    ("provenance.json", '{"datasets": 7}', "provenance.json: Expected `object`"),
    ("confirmation.json", "{}", "confirmation.json: Object missing required field"),
    ("confirmation.json", '{"passes": [3]}', "got `int` - at `$.passes[0]`"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "said"), WRONG)
def test_a_wrong_file_is_named_with_its_key_and_the_rest_is_shown(tmp_path, file, text, said):
    folder = write_training(tmp_path / "one", evaluated=False, probed=False)
    (folder / file).write_text(text, encoding="latin-1")
    write_report(str(folder))
    page = Page((folder / "report" / "index.html").read_text())
    assert said in page.text
    assert "Provenance" in page.text


def test_one_wrong_key_spoils_its_own_part_only(tmp_path):
    document = evaluation(DATASETS[:1], Random(1)) | {"by_mask": {"span": {"skill": "much"}}}
    folder = write_training(tmp_path / "one", datasets=DATASETS[:1], evaluated=False, probed=False)
    (folder / "evaluation.json").write_text(json.dumps(document))
    write_report(str(folder))
    page = Page((folder / "report" / "index.html").read_text())
    assert "got `str` - at `$.by_mask[...].skill`" in page.text
    assert "Skill by distance" in page.text


def test_lists_without_end_are_refused_and_not_drawn(tmp_path):
    document = evaluation(DATASETS[:1], Random(1))
    document["map"] |= {key: [0] * 100_000 for key in ("x", "y", "dataset")}
    document["examples"] *= 100
    folder = write_training(tmp_path / "one", datasets=DATASETS[:1], evaluated=False, probed=False)
    (folder / "evaluation.json").write_text(json.dumps(document))
    found = write_report(str(folder))
    assert found["bytes"] < 500_000
    page = Page((folder / "report" / "index.html").read_text())
    assert "of length <= 4096" in page.text


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("jepa_ray.report.source.MAX_BYTES", 1000)
    folder = write_training(tmp_path / "one", datasets=DATASETS[:1], probed=False)
    write_report(str(folder))
    assert "the report reads 1,000 at most" in (folder / "report" / "index.html").read_text()


def spoiled(document, rng):
    """The document with one value replaced by something odd."""
    places = []
    stack = [document]
    while stack:
        node = stack.pop()
        keys = node if isinstance(node, dict) else range(len(node))
        places += [(node, key) for key in keys]
        stack += [node[key] for key in keys if isinstance(node[key], dict | list)]
    node, key = rng.choice(places)
    node[key] = rng.choice(
        [None, -1, 0, 1e29, -1e29, 1e-300, "x", [], {}, True, [1, 2], {"a": None}, "\ud800", 2**52]
    )
    return document


@pytest.mark.parametrize("seed", range(5))
def test_no_odd_value_anywhere_is_an_error(tmp_path, seed):
    rng = Random(seed)
    folder = write_training(tmp_path / "one", datasets=DATASETS[:1], evaluated=False, probed=False)
    document = evaluation(DATASETS[:1], Random(1))
    tests = probes(Random(1))
    for _ in range(3):
        document, tests = spoiled(document, rng), spoiled(tests, rng)
    (folder / "evaluation.json").write_text(json.dumps(document))
    (folder / "probes.json").write_text(json.dumps(tests))
    write_report(str(folder))
    Page((folder / "report" / "index.html").read_text())


def test_what_a_run_says_of_its_windows_is_not_followed_to_another_store(tmp_path):
    folder = write_run(tmp_path / "six", datasets=DATASETS[:1], seeds=(1,))
    document = json.loads((folder / "confirmation.json").read_text())
    document["processed_dir"] = "http://evil.example/windows"
    (folder / "confirmation.json").write_text(json.dumps(document))
    found = write_report(str(folder))
    assert found["passes"] == 1


def test_a_dataset_named_as_a_path_is_not_read_from_there(tmp_path):
    write_prepared(tmp_path / "x", ["secret"])
    write_prepared(tmp_path / "deep" / "windows", DATASETS[:1])
    folder = write_run(tmp_path / "deep" / "six", datasets=("../../x/secret",), seeds=(1,))
    write_report(str(folder))
    page = Page((folder / "report" / "index.html").read_text())
    assert "../../x/secret trained \N{EN DASH} 1,190 \N{EN DASH}" in page.text
    assert not any("entropy" in card.read_text() for card in cards(folder))
