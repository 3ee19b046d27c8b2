"""Where the numbers come from, and how to get them again."""

from collections.abc import Iterator

from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Commands, Table, Text
from jepa_ray.report.results import Results, command_word
from jepa_ray.report.sections.tables import passes_of, states_of
from jepa_ray.report.text import NONE, clean, count, name
from jepa_ray.storage import join


def _versions(results: Results) -> Iterator[Block]:
    rows = list(_run(results)) + list(_training(results))
    if rows:
        yield Table("Versions and settings.", ("what", "value"), rows, frozenset({0, 1}))
    else:
        yield Text("There is no provenance.json in this folder.")


def _run(results: Results) -> Iterator[tuple[str, str]]:
    if results.confirmation is not None:
        found = results.confirmation.read(forms.Overall)
        yield "run", clean(found.run_id or results.name, 80)
        yield "preset, mixing", f"{name(found.preset or NONE)}, {name(found.mixing or NONE)}"
        yield "steps, batch size", f"{count(found.steps)}, {count(found.batch_size)}"
        yield "seeds", ", ".join(str(seed) for seed in found.seeds[:40]) or NONE
        yield "jepa-ray", name(found.code_version or NONE)
        yield "begun, ended (UTC)", f"{_text(found.started_utc)}, {_text(found.ended_utc)}"
        yield "seconds", count(found.seconds)
    for key, one in list(passes_of(results).items())[:1]:
        yield f"device, workers ({name(key)})", f"{_text(one.device)}, {count(one.workers)}"


def _training(results: Results) -> Iterator[tuple[str, str]]:
    if results.provenance is None:
        return
    found = results.provenance.read(forms.Provenance)
    yield "torch, Ray", f"{_text(found.torch_version)}, {_text(found.ray_version)}"
    yield "contract of the windows", count(found.contract_version)
    yield "objective, precision", f"{_text(found.objective)}, {_text(found.precision)}"
    split = ", ".join(f"{name(k)} {_text(v)}" for k, v in list(found.split.items())[:8])
    yield "split", split or NONE
    yield (
        "windows: training, validation",
        (f"{count(found.train_windows)}, {count(found.val_windows)}"),
    )
    yield "made (UTC)", _text(found.created_utc)


def _text(value: object) -> str:
    return NONE if value is None else name(value)


def _fingerprints(results: Results) -> Iterator[Block]:
    found = {key: s.fingerprint for key, s in states_of(results).items() if s.fingerprint}
    if found:
        rows = [(name(key), name(mark)) for key, mark in found.items()]
        yield Table(
            "Fingerprints of the prepared datasets: the same data has the same fingerprint.",
            ("dataset", "fingerprint"),
            rows,
            frozenset({0, 1}),
        )


def _again(results: Results) -> Iterator[Block]:
    yield Text("How to get the same numbers again, and how to use the model:")
    yield Commands(tuple(commands_again(results)))


def commands_again(results: Results) -> Iterator[str]:
    """The commands that make this run and its numbers."""
    folder, processed = results.shown, results.shown_processed
    if results.is_run:
        found = results.confirmation.read(forms.Overall) if results.confirmation else None
        seeds = ",".join(str(s) for s in found.seeds) if found and found.seeds else "SEEDS"
        yield (
            f"jepa-ray confirm --processed-dir {processed} --seeds {seeds} "
            f"{_place(results)} --config {command_word(join(results.folder, 'confirm.yaml'))}"
        )
        yield f"jepa-ray verify {folder}"
    else:
        yield from _trained_by(results)
    yield f"jepa-ray evaluate {folder} --processed-dir {processed}"
    yield f"jepa-ray probe {folder} --processed-dir {processed}"
    yield f"jepa-ray report {folder} --processed-dir {processed}"
    checkpoint = "pass01/combined/schedule_jepa.pt" if results.is_run else "schedule_jepa.pt"
    yield f"python -c \"import jepa_ray; jepa_ray.load('{checkpoint}')\"  # in {folder}"


def _trained_by(results: Results) -> Iterator[str]:
    """The command of a single training."""
    if results.provenance is None:
        return
    found = results.provenance.read(forms.Provenance)
    datasets = command_word(",".join(found.datasets)) if found.datasets else "combined"
    yield (
        f"jepa-ray train --processed-dir {results.shown_processed} --dataset {datasets} "
        f"{_place(results)} --config {command_word(join(results.folder, 'config.yaml'))}"
    )


def _place(results: Results) -> str:
    """Where a run or training lies, as options."""
    place, _, run_id = results.folder.rstrip("/").rpartition("/")
    return f"--storage-path {command_word(place or '.')} --run-id {command_word(run_id)}"


PARTS = (_versions, _fingerprints, _again)
