"""Whether what was measured is of the checkpoints and windows of this run, and with which settings.

A checkpoint that is trained again leaves the results of the former one behind.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jepa_ray.config import EvaluateConfig, ProbeConfig
from jepa_ray.config.base import Config
from jepa_ray.errors import JepaRayError
from jepa_ray.report import forms
from jepa_ray.report.blocks import Block, Problem, Text
from jepa_ray.report.results import Results, Source
from jepa_ray.report.sections.tables import states_of
from jepa_ray.report.source import MAX_BYTES
from jepa_ray.report.text import clean, name
from jepa_ray.storage import join, list_sizes, read_bytes

_CHECKPOINT = "schedule_jepa.pt"
_NOT_COUNTED = ("device", "threads", "processes")
"""Settings that do not reach the numbers but by rounding."""


def _evaluated(results: Results) -> Iterator[Block]:
    origins = {key: (found, found.read(forms.Origin)) for key, found in results.checkpoints.items()}
    for key, (found, origin) in origins.items():
        yield from _made_of(results, found, origin, [_place(key)])
    if results.evaluation is not None:
        yield from _other_run(results, results.evaluation)
    for found, origin in list(origins.values())[:1]:
        yield from _set_otherwise(found.file, origin.settings, EvaluateConfig())


def _probed(results: Results) -> Iterator[Block]:
    if results.probes is None:
        return
    origin = results.probes.read(forms.Origin)
    places = [_place(key) for key in results.passes] if results.is_run else [_CHECKPOINT]
    yield from _made_of(results, results.probes, origin, places)
    yield from _set_otherwise(results.probes.file, origin.settings, ProbeConfig())


def _place(key: str) -> str:
    return f"{key}/combined/{_CHECKPOINT}" if key else _CHECKPOINT


def _made_of(
    results: Results, found: Source, origin: forms.Origin, places: Sequence[str]
) -> Iterator[Block]:
    """What is wrong about the checkpoints and windows of a result; of no checkpoint: nothing."""
    said = origin.checkpoint_sha256
    ours = [_hash(results.folder, place) for place in places]
    if said is None:
        if any(ours):
            yield Text(
                f"{found.file} is of an older version, which wrote down no hash of its "
                "checkpoints: whether it is of those that lie here cannot be told."
            )
        return
    theirs = [said] if isinstance(said, str) else said
    other = [p for p, a, b in zip(places, ours, theirs, strict=False) if a is not None and a != b]
    if other or len(theirs) != len(places):
        of = clean(", ".join(other) or f"the {len(places)} that lie here", 300)
        yield Problem(
            f"Warning: {found.file} was made of another checkpoint than {of}; its numbers on this "
            "page are not those of this run. Make it again."
        )
    yield from _other_windows(results, found.file, origin.corpus)


def _other_windows(results: Results, file: str, corpus: Mapping[str, str]) -> Iterator[Block]:
    marks = {key: state.fingerprint for key, state in states_of(results).items()}
    other = [key for key, mark in corpus.items() if marks.get(key) not in (None, mark)]
    if other:
        yield Problem(
            f"Warning: {file} was made on other windows than the training's: "
            f"{', '.join(name(key) for key in other[:8])} was prepared anew."
        )


def _other_run(results: Results, evaluation: Source) -> Iterator[Block]:
    theirs = evaluation.read(forms.Origin).run_id
    ours = results.confirmation.read(forms.Overall).run_id if results.confirmation else None
    if theirs and ours and theirs != ours:
        yield Problem(
            f"Warning: {evaluation.file} was made of the run {name(theirs)}, this one is "
            f"{name(ours)}."
        )


def _set_otherwise(file: str, settings: Mapping[str, Any], usual: Config) -> Iterator[Block]:
    """Settings that are not the default."""
    default = usual.model_dump(mode="json")
    other = [
        f"{key} {clean(settings[key], 60)} (default {clean(value, 60)})"
        for key, value in default.items()
        if key in settings and settings[key] != value and key not in _NOT_COUNTED
    ]
    if other:
        yield Text(f"{file} was made with other settings than the default: {', '.join(other)}.")


def _hash(folder: str, place: str) -> str | None:
    """Of a checkpoint; None where there is none to be read."""
    inside, _, file = place.rpartition("/")
    try:
        size = list_sizes(join(folder, inside) if inside else folder).get(file)
        if size is None or size > MAX_BYTES:
            return None
        return hashlib.sha256(read_bytes(join(folder, place))).hexdigest()
    except (OSError, JepaRayError):
        return None


PARTS = (_evaluated, _probed)
