"""Cards of the datasets of a run in Markdown, from result files only."""

from collections.abc import Iterator

from jepa_ray.report import forms
from jepa_ray.report.cards import said, state_words, table
from jepa_ray.report.measured import loss, skill, with_key
from jepa_ray.report.results import Results, Source, Wrong
from jepa_ray.report.sections.tables import COMBINED, passes_of, states_of
from jepa_ray.report.text import NONE, count, estimate, file_name, markdown, number
from jepa_ray.windows import dataset_card


def dataset_cards(results: Results) -> dict[str, str]:
    """Cards by file name, without `.md`; one a dataset of the run."""
    try:
        states = states_of(results)
    except Wrong:
        states = {key: forms.DatasetState("prepared") for key in results.manifests}
    return {file_name(key): _dataset(results, key, state) for key, state in states.items()}


def _dataset(results: Results, key: str, state: forms.DatasetState) -> str:
    try:
        text = _prepared(results, key) or f"# {markdown(key, 48)}\n"
    except Wrong as error:
        text = f"# {markdown(key, 48)}\n\nIts statistics cannot be shown. {markdown(error)}\n"
    lines = [text, "## In this run", "", f"Status: {state_words(state)}.", ""]
    for part in (_sides, _scores):
        lines += said(lambda r, part=part: part(r, key), results)  # type: ignore[misc]
    lines += ["", "Licence of the raw data: that of its source, which `jepa-ray sources` names."]
    return "\n".join([*lines, ""])


def _prepared(results: Results, key: str) -> str | None:
    """The card of the prepared windows; None where they are not at hand."""
    source = results.manifests.get(key)
    if source is None:
        return None
    found = source.read(forms.Prepared)
    stats = results.statistics.get(key)
    manifest = {
        "dataset": markdown(key, 48),
        "status": markdown(found.status, 20),
        "records": found.records,
        "windows": found.windows,
        "expanded": found.expanded,
        "distinct_windows": found.distinct_windows,
        "skipped": {markdown(k, 48): n for k, n in found.skipped.items()},
        "quarantined": {markdown(k, 48): n for k, n in found.quarantined.items()},
    } | ({} if found.activities is None else {"activities": found.activities})
    made_by = (
        f"prepared by jepa-ray {markdown(found.code_version, 48)}; adapter version "
        f"{markdown(found.adapter_version, 48)}"
    )
    about = {"fingerprint": markdown(found.fingerprint or NONE, 80)}
    return dataset_card(manifest, _statistics(stats), made_by=made_by, about=about)


def _statistics(source: Source | None) -> dict[str, object] | None:
    if source is None:
        return None
    found = source.read(forms.Statistics)
    features = {
        markdown(k, 48): {
            "mean": f.mean,
            "std": f.std,
            "max": f.max,
            "nonzero_share": f.nonzero_share,
        }
        for k, f in found.features.items()
    }
    return {
        "entropy_bits": found.entropy_bits,
        "earliest": markdown(found.earliest, 48),
        "latest": markdown(found.latest, 48),
        "features": features,
    }


def _sides(results: Results, key: str) -> Iterator[str]:
    rows = [
        (markdown(name, 20), str(p.seed), count(c.train_windows), count(c.val_windows),
         number(c.val_loss, 4), number(c.skill), number(c.rankme))
        for name, p in passes_of(results).items()
        if (c := p.checkpoints.get(key)) is not None
    ]  # fmt: skip
    if rows and key != COMBINED:
        head = ("pass", "seed", "training", "validation", "validation loss", "skill", "RankMe")
        yield from table(head, rows)
        yield ""


def _scores(results: Results, key: str) -> Iterator[str]:
    source = with_key(results, "datasets")
    part = source.read(forms.ByDataset).datasets.get(key) if source is not None else None
    if part is not None:
        yield f"Evaluated: loss {estimate(loss(part))}, skill {estimate(skill(part))}."
    else:
        yield "Not evaluated yet: `jepa-ray evaluate` does it."
