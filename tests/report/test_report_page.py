"""The page of a run: whole, without scripts, the same bytes each time."""

import json
import re
from random import Random

import pytest

from jepa_ray.report import write_report
from jepa_ray.report.measured import overall, where
from jepa_ray.report.results import open_results
from jepa_ray.report.sections import words
from tests.report.made_results import (
    BLOCKED,
    DATASETS,
    evaluation,
    write_prepared,
    write_run,
    write_training,
)
from tests.report.pages import Page

SECTIONS = {
    "verdict", "reference", "curves", "beyond", "order", "probes", "windows", "provenance",
}  # fmt: skip


def report(folder, **options):
    found = write_report(str(folder), **options)
    return (folder / "report" / "index.html").read_text(), found


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    write_prepared(folder / "windows")
    return write_run(folder / "six")


@pytest.fixture(scope="module")
def text(run):
    return report(run)[0]


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def small(tmp_path, **options):
    """A training with one dataset: quick to draw."""
    folder = write_training(tmp_path / "one", datasets=DATASETS[:1], **options)
    return Page(report(folder)[0])


def test_the_page_is_well_formed_and_has_every_section(page):
    assert set(page.ids()) >= SECTIONS
    assert [tag for tag, _ in page.tags].count("h1") == 1


def test_no_part_of_a_whole_run_is_missing_or_wrong(text):
    assert 'class="absent"' not in text
    assert 'class="problem"' not in text


def test_the_page_needs_nothing_else(page):
    assert page.names.isdisjoint({"script", "link", "iframe", "object", "embed", "form", "base"})
    found = page.attributes("src", "href", "xlink:href", "action", "srcset")
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in found)


def test_a_policy_forbids_what_the_page_does_not_have(page):
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_every_id_is_there_once_and_every_reference_leads_to_one(page, text):
    ids = page.ids()
    assert len(ids) == len(set(ids))
    inside = {v[1:] for v in page.attributes("href", "xlink:href") if v.startswith("#")}
    assert (inside | set(re.findall(r"url\(#([^)]+)\)", text))) <= set(ids)


def test_every_drawing_says_what_it_is(page):
    plots = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(plots) > 20
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in plots)


def test_drawings_take_their_colours_from_the_page(text):
    assert "#0a0b0" not in text
    assert "#0a0c0" not in text
    assert "DejaVu" not in text


def test_the_page_is_small(text):
    assert len(text) < 2_000_000


def test_the_same_results_give_the_same_bytes(run, tmp_path, text):
    write_report(str(run), output=str(tmp_path))
    assert (tmp_path / "index.html").read_text() == text


@pytest.mark.parametrize(
    "said",
    [
        "Learned and useful",
        "0.0123 [0.0114, 0.0132]",
        "0.01780038",
        "1.04929552",
        "7.44 million",
        "0.0085 to 0.0183",
        "not reported",
        "2026061106",
        "blocked (needs Avocado access)",
        "6 of 6 passes",
        "do not compare absolutely",
        "Our embeddings do not win: trees on the raw window are as good.",
        "source_confidence",
        "70,686",
        "share of the spread that lies between actors 0.400 0.400",
        "by chance, where actors are all alike 0.0370 0.0370",
        "Tasks won by the embeddings 2 of 3",
        "0.0090 a risk",
        "jepa-ray verify",
    ],
)
def test_the_page_says(page, said):
    assert said in page.text


def test_every_dataset_is_there_with_its_sides(page):
    assert all(name in page.text for name in (*DATASETS, BLOCKED))
    assert "1,200 1,190 400 1,071 119" in page.text


def test_numbers_of_one_pass_do_not_stand_beside_a_spread_over_seeds(tmp_path):
    folder = write_run(tmp_path / "six", datasets=DATASETS[:1], probed=False)
    document = json.loads((folder / "evaluation.json").read_text())
    del document["spread"]["untrained_slot_std"]
    (folder / "evaluation.json").write_text(json.dumps(document))
    found = overall(open_results(str(folder)))
    assert found["slot_std"].has_interval
    assert "untrained_slot_std" not in found


def test_a_run_whose_passes_alone_were_evaluated_says_whose_numbers_it_shows(tmp_path):
    folder = write_run(tmp_path / "six", datasets=DATASETS[:1], evaluated=False, probed=False)
    one = json.dumps(evaluation(DATASETS[:1], Random(1)))
    (folder / "pass01" / "combined" / "evaluation.json").write_text(one)
    assert "Numbers of the first pass alone" in where(open_results(str(folder)))


def test_a_run_that_goes_on_says_how_far_it_is(tmp_path):
    folder = write_run(tmp_path / "two", datasets=DATASETS[:2], finished=2, probed=False)
    page = Page(report(folder)[0])
    assert "2 of 6 passes" in page.text
    assert "Promising, not confirmed" in page.text
    assert "jepa-ray probe" in page.text


def test_a_run_without_a_finished_pass_is_a_page_too(tmp_path):
    folder = write_run(tmp_path / "none", datasets=DATASETS[:2], finished=0, evaluated=False)
    assert "0 of 6 passes" in Page(report(folder)[0]).text


def test_a_training_alone_says_which_command_fills_each_part(tmp_path):
    page = small(tmp_path, evaluated=False, probed=False)
    for verb in ("evaluate", "probe", "confirm", "report"):
        assert f"jepa-ray {verb}" in page.text
    assert "Not judged yet" in page.text


def test_a_training_with_everything_has_its_windows_and_map(tmp_path):
    page = small(tmp_path)
    assert "calendar_ics_thunderbird, window 00000000000007ab" in page.text
    assert "The embeddings in the plane" in page.text
    assert "over windows (bootstrap)" in page.text


@pytest.mark.parametrize(
    ("status", "light", "word"),
    [
        ("collapsed", "red", "Collapsed"),
        ("not_learned", "red", "Not learned"),
        ("no_skill", "red", "No skill"),
        ("untouched", "amber", "Unchanged"),
        ("undecided", "amber", "Undecided"),
        ("learned", "amber", "Learned, use not tested"),
        ("odd", "grey", "odd"),
    ],
)
def test_each_status_has_a_colour_a_word_and_a_paragraph(tmp_path, status, light, word):
    document = {"status": status, "verdict": "in numbers", "trained": {"loss": 1.0},
                "untrained": {"loss": 1.0}}  # fmt: skip
    folder = write_training(tmp_path / "one", evaluated=False, probed=False)
    (folder / "evaluation.json").write_text(json.dumps(document))
    text, _ = report(folder)
    assert f'class="verdict {light}"' in text
    assert f"<strong>{word}</strong>" in text


@pytest.mark.parametrize(
    ("status", "never", "said"),
    [
        ("collapsed", "fell", "However low the loss is"),
        ("no_skill", "no more than", "from seed to seed"),
        ("no_skill", "no more than", "as good with the context of another day"),
        ("undecided", "or there is one", "finds skill where there is none"),
        ("trivial", "as well", "not surely better"),
    ],
)
def test_the_words_of_a_status_hold_for_every_cause_of_it(status, never, said):
    meaning = words.BY_STATUS[status].meaning
    assert never not in meaning
    assert said in meaning


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d["controls"]["white_noise"].update(passed=False), "Learned, with a doubt"),
        (lambda d: d["baselines"]["slot_mean"].update(loss=0.001), "a simple rule is better"),
    ],
)
def test_learned_is_not_green_when_something_speaks_against_it(tmp_path, change, word):
    document = evaluation(DATASETS[:1], Random(1))
    change(document)
    folder = write_training(tmp_path / "one", datasets=DATASETS[:1], evaluated=False)
    (folder / "evaluation.json").write_text(json.dumps(document))
    assert word in report(folder)[0]


def test_a_run_is_not_green_where_one_pass_did_not_learn(tmp_path):
    folder = write_run(tmp_path / "six", datasets=DATASETS[:1])
    document = json.loads((folder / "evaluation.json").read_text())
    document["passes"]["pass03"]["status"] = "collapsed"
    (folder / "evaluation.json").write_text(json.dumps(document))
    text, _ = report(folder)
    assert 'class="verdict amber"' in text
    assert "<strong>Learned in 5 of 6 passes</strong>" in text
    assert "embeddings did not collapse" not in text


def test_an_unfinished_run_names_the_pass_whose_numbers_it_shows(tmp_path):
    folder = write_run(tmp_path / "two", datasets=DATASETS[:1], finished=0, evaluated=False)
    place = folder / "pass02" / "combined"
    place.mkdir(parents=True, exist_ok=True)
    (place / "evaluation.json").write_text(json.dumps(evaluation(DATASETS[:1], Random(1))))
    assert "Numbers of pass02 alone" in where(open_results(str(folder)))
    none = write_run(tmp_path / "none", datasets=DATASETS[:1], finished=0, evaluated=False)
    assert "No pass of this run is finished" in Page(report(none)[0]).text


def test_the_page_of_a_single_training_speaks_of_passes_only_to_say_that_it_has_none(tmp_path):
    text, _ = report(write_training(tmp_path / "one"))
    said = [words.lower() for words in Page(text).words if re.search(r"\bpass(es)?\b", words)]
    assert all("seeded passes" in each or each == "checkpoints a pass" for each in said), said
