"""The result files of a run or of a training.

Names of files never come from the content of a file: folders are listed.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from jepa_ray.errors import JepaRayError, UsageError
from jepa_ray.report import forms
from jepa_ray.report.source import MAX_DATASETS, Source, Wrong, load, load_rows, unforeseen
from jepa_ray.report.text import clean
from jepa_ray.storage import join, list_names, list_sizes, local_path, read_bytes

__all__ = [
    "Results",
    "Source",
    "Wrong",
    "command_word",
    "open_results",
    "rows_of",
    "unforeseen",
]

MAX_PASSES = 100
_PASS = re.compile(r"pass\d{1,4}")
_SCHEME = re.compile(r"([a-z0-9+.-]+)://")


@dataclass(frozen=True)
class Results:
    """What was found in a folder.

    Attributes:
        folder: Path or URL.
        name: Of the run or training.
        confirmation: confirmation.json; None where it is absent, as while a run goes on.
        passes: Reports of the finished passes, by name.
        expected: How many passes there will be.
        metrics: Rows of the validations, or why there are none, by (pass, training).
        evaluation: Of the run over its passes.
        checkpoints: Evaluations of one checkpoint each, by pass; "" for a training's own.
        probes: probes.json.
        provenance: Of the training, or of the combined one of the first pass.
        processed_dir: Where the prepared datasets are; None where nobody said so.
        manifests, statistics: Of the prepared datasets, by name.
    """

    folder: str
    name: str
    confirmation: Source | None
    passes: dict[str, Source]
    expected: int
    metrics: dict[tuple[str, str], Source]
    evaluation: Source | None
    checkpoints: dict[str, Source]
    probes: Source | None
    provenance: Source | None
    processed_dir: str | None
    manifests: dict[str, Source] = field(default_factory=dict)
    statistics: dict[str, Source] = field(default_factory=dict)

    @property
    def is_run(self) -> bool:
        """Whether it is a confirmation run, not a single training."""
        return self.confirmation is not None or bool(self.passes) or self.expected > 0

    @property
    def finished(self) -> bool:
        """Whether nothing more is to come."""
        return not self.is_run or self.confirmation is not None

    @property
    def shown(self) -> str:
        """The folder as a command names it."""
        return command_word(self.folder)

    @property
    def shown_processed(self) -> str:
        """The processed folder as a command names it."""
        return command_word(self.processed_dir) if self.processed_dir else "P"

    @property
    def first(self) -> Source | None:
        """The evaluation of the first checkpoint."""
        return next(iter(self.checkpoints.values()), None)


def command_word(path: str) -> str:
    """A path as a shell takes it."""
    return shlex.quote(clean(path, 400))


def open_results(folder: str, processed_dir: str | None = None) -> Results:
    """Read all result files below a folder.

    Args:
        folder: Path or URL of a confirmation run or of a single training.
        processed_dir: Of the prepared datasets; None: where confirmation.json says.

    Raises:
        UsageError: There are no result files.
    """
    files = list_sizes(folder)
    passes = [name for name in sorted(files) if _PASS.fullmatch(name)][:MAX_PASSES]
    known = {"confirmation.json", "confirm.yaml", "metrics.jsonl", "provenance.json"}
    if not passes and not known & set(files):
        raise UsageError(
            f"{folder} holds no results: give the folder of a run of `jepa-ray confirm` or of a "
            "training of `jepa-ray train`"
        )
    run = _Run(folder, files, passes)
    confirmation = run.file("confirmation.json")
    reports = _pass_reports(run, confirmation)
    where = processed_dir or _said_dir(folder, confirmation)
    manifests = dict(_prepared(where, "manifest.json")) if where else {}
    evaluation, checkpoints = _evaluations(run)
    return Results(
        folder=folder,
        name=_said_name(folder, confirmation),
        confirmation=confirmation,
        passes=reports,
        expected=run.expected(),
        metrics=dict(run.metrics()),
        evaluation=evaluation,
        checkpoints=checkpoints,
        probes=run.file("probes.json"),
        provenance=run.provenance(),
        processed_dir=where,
        manifests=manifests,
        statistics=dict(_prepared(where, "stats.json", manifests)) if where else {},
    )


@dataclass
class _Run:
    """The files of a folder."""

    folder: str
    files: dict[str, int]
    passes: list[str]
    inside: dict[str, dict[str, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.inside = {name: list_sizes(join(self.folder, name)) for name in self.passes}

    def file(self, name: str) -> Source | None:
        """A file of the run; None where there is none."""
        return load(self.folder, name) if name in self.files else None

    def of_pass(self, name: str, file: str) -> Source | None:
        """A file of a pass; None where there is none."""
        found = load(self.folder, f"{name}/{file}")
        return None if found.fault is not None and found.value is FileNotFoundError else found

    def expected(self) -> int:
        """Passes that there will be: the seeds of confirm.yaml, else the folders."""
        if not self.passes and "confirm.yaml" not in self.files:
            return 0
        return max(len(self.passes), _seeds(self.folder) if "confirm.yaml" in self.files else 0)

    def metrics(self) -> Iterator[tuple[tuple[str, str], Source]]:
        """Validations of each training."""
        if "metrics.jsonl" in self.files:
            yield ("", ""), load_rows(self.folder, "metrics.jsonl")
        for name, files in self.inside.items():
            for training in sorted(files)[: MAX_DATASETS + 8]:
                if "." in training:
                    continue
                found = load_rows(self.folder, f"{name}/{training}/metrics.jsonl")
                if found.value is not FileNotFoundError:
                    yield (name, training), found

    def provenance(self) -> Source | None:
        """Of the training, else of the first combined one."""
        places = [f"{name}/combined/provenance.json" for name in self.passes]
        for place in ["provenance.json", *places]:
            found = load(self.folder, place)
            if found.value is not FileNotFoundError:
                return found
        return None


def _pass_reports(run: _Run, confirmation: Source | None) -> dict[str, Source]:
    """Reports of passes: those of confirmation.json, else the files of the passes."""
    said = (confirmation.value or {}) if confirmation else {}
    listed = said.get("passes") if isinstance(said, dict) else None
    if isinstance(listed, list):
        return {
            f"pass{i + 1:02d}": Source("confirmation.json", part, f"passes[{i}]")
            for i, part in enumerate(listed[:MAX_PASSES])
        }
    found = {p: run.of_pass(p, "report.json") for p in run.passes if "report.json" in run.inside[p]}
    return {name: report for name, report in found.items() if report is not None}


def _evaluations(run: _Run) -> tuple[Source | None, dict[str, Source]]:
    """Over the passes, and of each checkpoint."""
    top = run.file("evaluation.json")
    if top is not None and (top.fault is not None or not top.has("passes")):
        return (top, {}) if top.fault is not None and run.passes else (None, {"": top})
    if top is not None:
        try:
            return top, top.parts("passes")
        except Wrong as error:
            return top, {"": Source(top.file, None, "", str(error))}
    each = {p: run.of_pass(p, "combined/evaluation.json") for p in run.passes}
    return None, {name: found for name, found in each.items() if found is not None}


def _prepared(
    folder: str, file: str, names: Mapping[str, Source] | None = None
) -> Iterator[tuple[str, Source]]:
    """A file of each prepared dataset that has it."""
    for dataset in list_names(folder)[:MAX_DATASETS] if names is None else names:
        found = load(folder, f"{dataset}/{file}")
        if found.value is not FileNotFoundError:
            yield dataset, found


def _said_dir(folder: str, confirmation: Source | None) -> str | None:
    """Where confirmation.json says the datasets are: a local path, or a URL of the run's kind."""
    said = confirmation.value.get("processed_dir") if confirmation and confirmation.value else None
    if not isinstance(said, str) or "\0" in said:
        return None
    scheme, ours = _SCHEME.match(said), _SCHEME.match(folder)
    if local_path(said) is None and (scheme and scheme[1]) != (ours and ours[1]):
        return None
    try:
        return said if list_names(said) else None
    except (OSError, ValueError, JepaRayError):
        return None


def _said_name(folder: str, confirmation: Source | None) -> str:
    said = confirmation.value.get("run_id") if confirmation and confirmation.value else None
    return (
        clean(said, 80) if isinstance(said, str) else clean(folder.rstrip("/").split("/")[-1], 80)
    )


def _seeds(folder: str) -> int:
    """How many seeds confirm.yaml names; 0 where it cannot be told."""
    import yaml  # noqa: PLC0415 - only an unfinished run needs it

    try:
        found = yaml.safe_load(read_bytes(join(folder, "confirm.yaml"))[: 1 << 20])
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return 0
    seeds = found.get("seeds") if isinstance(found, dict) else None
    if isinstance(seeds, str) and (span := re.fullmatch(r"(\d{1,18})\.\.(\d{1,18})", seeds)):
        return min(MAX_PASSES, max(0, int(span[2]) - int(span[1]) + 1))
    return min(MAX_PASSES, len(seeds)) if isinstance(seeds, list) else 0


def rows_of(source: Source) -> list[forms.Validation]:
    """The validations of a training, in order of steps.

    Raises:
        Wrong: A row is not of that form.
    """
    return sorted(source.read(list[forms.Validation]), key=lambda row: row.step)
