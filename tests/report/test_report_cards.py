"""Model card and dataset cards, from result files only."""

import json
import shlex

import pytest

from jepa_ray.report import forms
from jepa_ray.report.cards import model_card
from jepa_ray.report.dataset_cards import dataset_cards
from jepa_ray.report.results import open_results
from jepa_ray.report.sections.probes import metric
from tests.report.made_results import BLOCKED, DATASETS, write_prepared, write_run, write_training


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cards")
    write_prepared(folder / "windows")
    return open_results(str(write_run(folder / "six")))


@pytest.mark.parametrize(
    "said",
    [
        "## What it is",
        "**learned**",
        "[epa](datasets/epa.md) | trained | 5,950 | 5,355 | 595 |",
        "needs Avocado access",
        "| preset | robust |",
        "mode random_resplit, seed 2026061101",
        "| loss | 0.0123 [0.0114, 0.0132] | 0.01780038 |",
        "| skill | 0.412 [0.381, 0.443] | not reported |",
        "0.72 [0.70, 0.83] | 0.780 [0.760, 0.810] (raw window, trees)",
        "## Limits",
        'jepa_ray.load("pass01/combined/schedule_jepa.pt")',
        "Apache-2.0",
    ],
)
def test_the_model_card_says(results, said):
    assert said in model_card(results)


def test_the_model_card_says_all_of_what_was_found_of_a_task(tmp_path):
    folder = write_training(tmp_path)
    document = json.loads((folder / "probes.json").read_text())
    sentence = " ".join(["Our embeddings reach ROC AUC 0.8."] * 16) + " They harm the trees"
    document["tasks"]["part_of_day"]["sentence"] = sentence
    (folder / "probes.json").write_text(json.dumps(document))
    assert len(sentence) > 540
    assert "They harm the trees" in model_card(open_results(str(folder)))


def test_the_card_of_a_training_counts_the_prepared_windows_and_its_sides(tmp_path):
    write_prepared(tmp_path / "p", DATASETS[:3])
    card = model_card(open_results(str(write_training(tmp_path / "one")), str(tmp_path / "p")))
    assert "trained | 1,190 | \N{EN DASH} | \N{EN DASH} |" in card
    assert "| all |  | \N{EN DASH} | 70,000 | 7,800 |" in card


def test_the_width_of_an_embedding_is_that_of_the_checkpoint(tmp_path):
    folder = write_training(tmp_path, probed=False)
    document = json.loads((folder / "evaluation.json").read_text())
    document["spectrum"] = {"trained": [1.0] * 16, "untrained": [1.0] * 16}
    (folder / "evaluation.json").write_text(json.dumps(document))
    card = model_card(open_results(str(folder)))
    assert "one embedding of 16 numbers" in card
    assert "RankMe of 16" in card
    assert "float32 [B, 16]" in card
    assert "of 64" not in card


@pytest.mark.parametrize(
    ("key", "said"), [("top1", "top-1 accuracy"), ("mean_error", "mean error"), ("r2", "R²")]
)
def test_a_metric_is_said_in_words(key, said):
    arms = {"ours": forms.Score(0.5)}
    task = forms.Task(label="", metric=key, arms=arms, sentence="", wins=False)
    assert metric(task) == f"{said}, higher is better"


def commands(folder):
    """The commands of a card, as a shell takes them apart."""
    text = model_card(open_results(str(folder)))
    lines = [line.strip() for line in text.splitlines() if line.startswith("    jepa-ray")]
    return [shlex.split(line) for line in lines]


def test_the_commands_to_copy_are_quoted_and_name_all_seeds(tmp_path):
    seeds = tuple(range(50))
    folder = tmp_path / "my place; touch X" / "my run"
    write_run(folder, datasets=DATASETS[:1], seeds=seeds, evaluated=False, probed=False)
    confirm = commands(folder)[0]
    assert confirm[confirm.index("--storage-path") + 1] == str(folder.parent)
    assert confirm[confirm.index("--run-id") + 1] == "my run"
    assert confirm[confirm.index("--config") + 1] == str(folder / "confirm.yaml")
    assert confirm[confirm.index("--seeds") + 1] == ",".join(str(seed) for seed in seeds)
    assert len(confirm) == 12


def test_the_card_of_a_training_names_the_command_that_trained_it(tmp_path):
    train = commands(write_training(tmp_path / "a b"))[0]
    assert train[1] == "train"
    assert train[train.index("--dataset") + 1] == ",".join(DATASETS[:3])
    assert train[-6:] == [
        "--storage-path", str(tmp_path), "--run-id", "a b", "--config",
        str(tmp_path / "a b" / "config.yaml"),
    ]  # fmt: skip


def test_there_is_a_card_for_each_dataset_of_the_run(results):
    assert set(dataset_cards(results)) == {*DATASETS, BLOCKED}


@pytest.mark.parametrize(
    "said",
    [
        "# epa",
        "| records | 6,000 |",
        "| entropy | 7.43 bits |",
        "- malformed: 2",
        "| source_confidence | 0.1000 | 0.2000 | 1.000 | 0.3000 |",
        "| pass06 | 2026061106 | 5,355 | 595 |",
        "Status: trained.",
    ],
)
def test_a_dataset_card_says(results, said):
    assert said in dataset_cards(results)["epa"]


def test_a_card_without_prepared_windows_still_says_what_became_of_the_dataset(results):
    assert "Status: blocked: needs Avocado access." in dataset_cards(results)[BLOCKED]


def test_a_training_that_was_not_evaluated_says_so_in_its_card(tmp_path):
    folder = write_training(tmp_path / "one", evaluated=False, probed=False)
    text = model_card(open_results(str(folder)))
    assert "Not evaluated yet: `jepa-ray evaluate` does it." in text
    assert "Not tested yet: `jepa-ray probe` does it." in text
