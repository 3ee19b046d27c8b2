"""The Public Jira dump: one gzipped archive as `mongodump --gzip --archive` writes it.

It holds the issues of the normalised form (`synth.public_jira`) of the same seed, as search hits of
the Jira API in one collection a Jira, interleaved, with here and there a document that is no issue.

Source: docs/jira-dump.md.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random

import bson

from jepa_ray.synth.jira_document import JiraDocuments
from jepa_ray.synth.mongodump import ArchiveWriter
from jepa_ray.synth.output_files import whole_gzip_file
from jepa_ray.synth.population import generator, portions
from jepa_ray.synth.public_jira import JIRAS, issues_of

DATABASE = "JiraReposAnon"
_DATASET = "public_jira_dump"
_MOST_IN_A_SEGMENT = 40
_ONE_IN = 500  # documents, one is no issue


def write(root: Path, seed: int, records: int) -> int:
    """Write `public_jira/mongodump-JiraRepos.archive` below a data root.

    Args:
        root: The data root; created if absent.
        seed: Of the issues and all else.
        records: Documents; about one in 500 is no issue, so that an adapter has to skip it.

    Returns:
        `records`.
    """
    path = root / "public_jira" / "mongodump-JiraRepos.archive"
    with whole_gzip_file(path) as stream:
        _write(stream.write, seed, records)
    return records


def _write(write: Callable[[bytes], object], seed: int, records: int) -> None:
    rng = generator(seed, _DATASET)
    counts = portions(records, list(JIRAS.values()))
    sources = {
        name: _documents(seed, index, count)
        for index, (name, count) in enumerate(zip(JIRAS, counts, strict=True))
    }
    archive = ArchiveWriter(write, DATABASE, sources)
    while sources:
        name = rng.choice(list(sources))
        if segment := _segment(sources[name], rng):
            archive.segment(name, segment)
        else:
            archive.end(name)
            del sources[name]


def _segment(documents: Iterator[bytes], rng: Random) -> bytes:
    """Some of the next documents; none when there is no more."""
    return b"".join(islice(documents, rng.randint(1, _MOST_IN_A_SEGMENT)))


def _documents(seed: int, jira: int, count: int) -> Iterator[bytes]:
    """The documents of one collection."""
    rng = generator(seed, _DATASET, jira)
    hits = JiraDocuments(rng, jira)
    issues = issues_of(seed, jira, count)
    for number, issue in enumerate(issues, start=1):
        other = number % _ONE_IN == 0 or number == count > 1
        yield bson.encode(hits.no_issue() if other else hits.hit(issue))
