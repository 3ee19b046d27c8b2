"""A prepared dataset folder without Ray: by the very functions that prepare's tasks run."""

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch

from jepa_ray.adapters import Shard, adapters
from jepa_ray.config import PrepareConfig, SplitConfig
from jepa_ray.corpus import Corpus, load
from jepa_ray.prepare.account import Account
from jepa_ray.prepare.block import BlockReport, process_block, raw_table
from jepa_ray.prepare.documents import card, empty_manifest, filled_manifest
from jepa_ray.prepare.fingerprint import dataset_fingerprint, file_fingerprint
from jepa_ray.storage import join, write_bytes, write_json
from jepa_ray.synth import synthesize

torch.set_num_threads(1)  # two cores are shared by all that run at once

JIRA = "public_jira"


def issue_lines(count: int, *, seed: int = 1, projects: int = 5) -> list[bytes]:
    """Issues as `public_jira` reads them; each with a time of its own."""
    rng = Random(seed)
    first = dt.datetime(2020, 1, 6)  # noqa: DTZ001 - the normalised form knows no zone
    lines = []
    for i in range(count):
        created = first + dt.timedelta(days=i // 7, minutes=rng.randrange(24 * 60), seconds=i % 60)
        due = (created + dt.timedelta(days=rng.choice([0, 3]))).date().isoformat()
        issue = {
            "id": f"Lumora:{10_000 + i}",
            "key": f"P{i % projects}-{i}",
            "created": created.isoformat(),
            "dueDate": due if rng.random() < 0.4 else None,
            "summary": "x" * rng.randrange(5, 60),
            "description": "y" * rng.randrange(2000),
            "priority": rng.choice(["minor", "major", "blocker"]),
        }
        lines.append(json.dumps(issue).encode())
    return lines


def write_issues(raw: Path, lines: Sequence[bytes], *, files: int = 1) -> None:
    """Raw files of `public_jira`: the lines in order, cut into so many files."""
    (raw / JIRA).mkdir(parents=True, exist_ok=True)
    size = -(-len(lines) // files)
    for i in range(files):
        text = b"".join(line + b"\n" for line in lines[i * size : (i + 1) * size])
        (raw / JIRA / f"part{i}.normalized.jsonl").write_bytes(text)


def write_prepared(
    processed: str | Path,
    raw: Path,
    dataset: str = JIRA,
    *,
    lines: Sequence[bytes] | None = None,
    records: int = 64,
    seed: int = 1,
    files: int = 3,
    config: PrepareConfig | None = None,
) -> dict[str, Any]:
    """Write `<processed>/<dataset>` as prepare would; return its manifest.

    Args:
        processed: Path or URL of the processed folder.
        raw: An empty folder for the raw files.
        dataset: `public_jira`: hand-made issues; another one: an archive by `synthesize`.
        lines: Raw lines of `public_jira`; None: `issue_lines(records)`.
        records: How many, where `lines` is None.
        seed: Of what is made up.
        files: Raw files of `public_jira`, and so parts.
        config: Of prepare.
    """
    config = config or PrepareConfig()
    if dataset == JIRA:
        write_issues(raw, issue_lines(records, seed=seed) if lines is None else lines, files=files)
    else:
        synthesize(dataset, raw, seed=seed, records=records)
    return prepare_raw(processed, raw, dataset, config)


def prepare_raw(
    processed: str | Path, raw: Path, dataset: str, config: PrepareConfig
) -> dict[str, Any]:
    """Write `<processed>/<dataset>` of what lies in a data root; return its manifest."""
    adapter = adapters()[dataset]
    target = join(processed, dataset)
    shards = adapter(config).shards(raw)
    marked = [(file, file_fingerprint(file)) for shard in shards for file in shard.files]
    fingerprint = dataset_fingerprint(adapter, config, marked)
    reports = process_shards(dataset, shards, target=target, key=fingerprint[:8], config=config)
    account = Account.merge([report.account for report in reports])
    manifest = filled_manifest(
        empty_manifest(adapter, config, "completed"), account, marked, fingerprint
    )
    stats = account.statistics.document() if account.statistics else None
    if stats:
        write_json(join(target, "stats.json"), stats)
    write_bytes(join(target, "README.md"), card(adapter, manifest, stats).encode())
    write_json(join(target, "manifest.json"), manifest)
    return manifest


def process_shards(
    dataset: str, shards: list[Shard], *, target: str, key: str, config: PrepareConfig
) -> list[BlockReport]:
    """Every block of some shards, in order."""
    adapter = adapters()[dataset](config)
    return [
        report
        for shard in shards
        for i, file in enumerate(shard.files)
        for block in adapter.blocks(file)
        for report in process_block(
            adapter,
            raw_table(shard.index, i, file.label, block),
            target=target,
            key=f"{key}{shard.index:05d}",
        )
    ]


def small_corpus(folder: Path, *, records: int = 64, split: SplitConfig | None = None) -> Corpus:
    """A loaded corpus of made-up issues, prepared below `folder`."""
    write_prepared(folder / "processed", folder / "raw", records=records)
    return load(str(folder / "processed"), [JIRA], split or SplitConfig())
