"""The tables of the reference run, with ours beside it."""

from collections.abc import Iterator

from jepa_ray.report import forms, reference
from jepa_ray.report.blocks import Block, Table
from jepa_ray.report.measured import NOTHING, of_spread, of_width, overall, where, whole
from jepa_ray.report.results import Results, Wrong
from jepa_ray.report.sections import commands
from jepa_ray.report.text import (
    NONE,
    Estimate,
    clean,
    count,
    estimate,
    fixed,
    name,
    number,
    percent,
)  # fmt: skip

NR = reference.NOT_REPORTED
COMBINED = "combined"


def passes_of(results: Results) -> dict[str, forms.Pass]:
    """The finished passes.

    Raises:
        Wrong: A report is not of its form.
    """
    return {key: source.read(forms.Pass) for key, source in results.passes.items()}


def _two_runs(results: Results) -> Iterator[Block]:
    passes = passes_of(results)
    numbers = _or_nothing(results)
    states = states_of(results)
    trained = [s for s in states.values() if s.status == "trained"]
    losses = [c.val_loss for p in passes.values() for c in p.checkpoints.values()]
    reached = f"{number(min(losses), 3)} to {number(max(losses), 3)}" if losses else NONE
    rows = [
        ("datasets trained on", f"{reference.DATASETS}", count(len(trained)) if trained else NONE),
        ("windows", reference.WINDOWS, _windows(results, trained)),
        ("seeded passes", f"{reference.PASSES}", str(len(passes)) if results.is_run else NONE),
        ("checkpoints a pass", f"{reference.CHECKPOINTS_A_PASS}", _checkpoints(passes)),
        ("validation losses of all checkpoints",
         f"{reference.LOWEST_LOSS} to {reference.HIGHEST_LOSS}", reached),
        ("trained loss, evaluated", f"{reference.FINAL_LOSS}", _show(numbers, "loss")),
        ("untrained loss", f"{reference.UNTRAINED_LOSS}", _show(numbers, "untrained_loss")),
        ("loss reduced by", percent(reference.REDUCTION), _reduction(numbers)),
        ("skill", NR, _show(numbers, "skill")),
        (f"RankMe{of_width(results)}", NR, _show(numbers, "rankme")),
        ("RankMe, untrained", NR, _show(numbers, "untrained_rankme")),
        ("per-slot std", NR, _show(numbers, "slot_std")),
        ("per-slot std, untrained", NR, _show(numbers, "untrained_slot_std")),
        ("cosine to mean", NR, _show(numbers, "cosine_to_mean")),
        ("CKA with untrained embeddings", NR, _show(numbers, "cka_with_untrained")),
    ]  # fmt: skip
    yield Table(
        "Both runs, number by number; trained against untrained from the middle on. A lower loss "
        "than the reference run's is no merit where the skill or RankMe is poor. "
        + (where(results) if numbers else ""),
        ("", "reference run", "this run"),
        rows,
    )
    if not numbers:
        yield commands.evaluate(results, "Trained against untrained")


def _or_nothing(results: Results) -> dict[str, Estimate]:
    """The evaluated numbers; the verdict's section says what is wrong with them."""
    try:
        return overall(results) if whole(results) is not None else {}
    except Wrong:
        return {}


def _show(found: dict[str, Estimate], key: str) -> str:
    return estimate(found.get(key, NOTHING))


def _reduction(found: dict[str, Estimate]) -> str:
    known = found.get("reduction", NOTHING)
    ends = f" [{percent(known.low)}, {percent(known.high)}]" if known.has_interval else ""
    return percent(known.value) + ends


def _sum(values: Iterator[int | None]) -> str:
    known = [v for v in values if v is not None]
    return count(sum(known)) if known else NONE


def _windows(results: Results, trained: list[forms.DatasetState]) -> str:
    """All windows that were trained on or held out."""
    if not results.is_run and results.provenance is not None:
        sides = results.provenance.read(forms.Provenance)
        return _sum(iter((sides.train_windows, sides.val_windows)))
    return _sum(s.windows for s in trained)


def _checkpoints(passes: dict[str, forms.Pass]) -> str:
    counts = {len(p.checkpoints) for p in passes.values()}
    return " to ".join(str(n) for n in sorted({min(counts), max(counts)})) if counts else NONE


def states_of(results: Results) -> dict[str, forms.DatasetState]:
    """Datasets and what became of each: of confirmation.json, else what the passes trained on."""
    if results.confirmation is not None:
        return results.confirmation.read(forms.States).datasets
    if results.passes:
        checkpoints = next(iter(passes_of(results).values())).checkpoints
        return {
            key: forms.DatasetState("trained", None, _total(c))
            for key, c in checkpoints.items()
            if key != COMBINED
        }
    if results.provenance is not None:
        names = results.provenance.read(forms.Provenance).datasets
        return {key: forms.DatasetState("trained", None, None, mark) for key, mark in names.items()}
    return {key: forms.DatasetState("prepared") for key in results.manifests}


def _total(found: forms.Trained) -> int | None:
    known = [n for n in (found.train_windows, found.val_windows) if n is not None]
    return sum(known) if known else None


def _datasets(results: Results) -> Iterator[Block]:
    states = states_of(results)
    passes = passes_of(results)
    first = next(iter(passes.values()), None)
    rows = [
        ("reference run, all 11", "trained", NR, reference.WINDOWS, NR, NR, NR),
        *(_dataset(results, key, state, first) for key, state in states.items()),
    ]
    sides = first or (results.provenance and results.provenance.read(forms.Provenance))
    if sides:
        total = _windows(results, [s for s in states.values() if s.status == "trained"])
        both = count(sides.train_windows), count(sides.val_windows)
        rows.append(("all, combined", "", NONE, total, NONE, *both))
    whose = "of the first pass" if results.is_run else "of this training, over all datasets"
    yield Table(
        "Datasets and their windows. Distinct windows say how much there is to learn; train and "
        f"validation counts are those {whose}, whose seed splits the windows.",
        ("dataset", "status", "records", "windows", "distinct", "train", "validation"),
        rows,
        words=frozenset({0, 1}),
        reference=frozenset({0}),
    )
    if not results.manifests:
        yield commands.prepared(results)


def _dataset(
    results: Results, key: str, state: forms.DatasetState, first: forms.Pass | None
) -> tuple[str, ...]:
    trained = first.checkpoints.get(key) if first else None
    found = results.manifests.get(key)
    manifest = found.read(forms.Prepared) if found is not None else None
    reason = f" ({clean(state.reason, 160)})" if state.reason else ""
    return (
        name(key),
        clean(state.status, 20) + reason,
        count(manifest.records) if manifest else NONE,
        count(windows_of(results, key, state)),
        count(manifest.distinct_windows) if manifest else NONE,
        count(trained.train_windows) if trained else NONE,
        count(trained.val_windows) if trained else NONE,
    )


def windows_of(results: Results, key: str, state: forms.DatasetState) -> int | None:
    """Windows of a dataset: those that a run counted, else those that are prepared."""
    found = results.manifests.get(key)
    if state.windows is not None or found is None:
        return state.windows
    return found.read(forms.Prepared).windows


def _passes(results: Results) -> Iterator[Block]:
    if not results.is_run:
        yield commands.confirm(results, "Seeded passes")
        return
    span = f"{reference.LOWEST_LOSS} to {reference.HIGHEST_LOSS}"
    seeds = f"{reference.SEEDS[0]} to …{reference.SEEDS[1] % 100:02d}"
    rows: list[tuple[str, ...]] = [("reference", seeds, NR, NR, span, NR, NR, NR)]
    rows += [_pass(key, p) for key, p in passes_of(results).items()]
    yield Table(
        "The passes: each has its own split and order, both drawn by its seed. "
        "Losses are those of the combined checkpoint; of the reference run, those of all its "
        "checkpoints.",
        ("pass", "seed", "train", "validation", "loss", "training loss", "skill", "RankMe"),
        rows,
        reference=frozenset({0}),
    )  # fmt: skip
    orders = [(name(key), _order(p.order)) for key, p in passes_of(results).items()]
    yield Table(
        "The order of the datasets in each pass.", ("pass", "order"), orders, frozenset({0, 1})
    )


def _order(names: list[str]) -> str:
    shown = " → ".join(name(n) for n in names[:24])
    return shown + (f" and {len(names) - 24} more" if len(names) > 24 else "")


def _pass(key: str, found: forms.Pass) -> tuple[str, ...]:
    combined = found.checkpoints.get(COMBINED)
    return (
        name(key),
        str(found.seed),
        count(found.train_windows),
        count(found.val_windows),
        fixed(found.val_loss, 6),
        NONE if found.train_loss is None else fixed(found.train_loss, 6),
        number(combined.skill) if combined else NONE,
        number(combined.rankme) if combined else NONE,
    )


def spreads(results: Results) -> dict[str, tuple[Estimate, Estimate]]:
    """Validation loss and skill over seeds, by dataset and combined; {} where unfinished."""
    if results.confirmation is None or not results.confirmation.has("spread"):
        return {}
    found = results.confirmation.read(forms.Spreads).spread
    return {
        key: (of_spread(s.val_loss, "val_loss"), of_spread(s.skill, "skill"))
        for key, s in found.items()
    }


PARTS = (_two_runs, _datasets, _passes)
