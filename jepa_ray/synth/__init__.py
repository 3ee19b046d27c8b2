"""Small seeded archives in the true raw formats, for demos, tests and load.

Every word, name and address is made up; the addresses lie under example.com, .net and .org, or have
the form that Notes gave them. What is
true to life is the form of the files and the shape of the times: every made-up person has working
hours, a weekend and perhaps a habit of working by night, so a model has something to learn.

All records are valid: the quirks are those that the formats allow. The same arguments give the same
bytes. Memory does not grow with `records`. Large ones, with defects if wanted: `synth.bulk`.
"""

from pathlib import Path

from jepa_ray.errors import SourceError
from jepa_ray.synth import (
    calendar_ics,
    enron_cornell,
    enron_maildir,
    enron_snap,
    epa,
    gharchive,
    jira_dump,
    ms_latte,
    project_openproject,
    project_taiga,
    public_jira,
    smart_todo_coded,
)

_WRITERS = {
    "calendar_ics_thunderbird": calendar_ics.write,
    "enron_cornell": enron_cornell.write,
    "enron_maildir": enron_maildir.write,
    "enron_snap": enron_snap.write,
    "epa": epa.write,
    "gharchive": gharchive.write,
    "ms_latte": ms_latte.write,
    "project_openproject": project_openproject.write,
    "project_taiga": project_taiga.write,
    "public_jira": public_jira.write,
    "smart_todo_coded": smart_todo_coded.write,
}

DATASETS: tuple[str, ...] = tuple(_WRITERS)

_FORMS = {"public_jira_dump": jira_dump.write}

ARCHIVES: tuple[str, ...] = tuple(
    "public_jira_dump" if name == "public_jira" else name for name in DATASETS
)
"""One archive a dataset, in the form that one downloads: the dump of Jira, not its JSON lines."""


def synthesize(dataset: str, root: Path, *, seed: int, records: int) -> int:
    """Write an archive of one dataset below a data root.

    Each file appears whole or not at all. Files of an earlier call with other arguments are left
    where they are: give every archive a root of its own if the count matters.

    Args:
        dataset: One of `DATASETS` or of `ARCHIVES`.
        root: The data root; created if absent.
        seed: Any integer from 0 up; every dataset derives its own generators from it.
        records: Number of records, 1 or more: what the dataset's adapter counts as records.

    Returns:
        The number of records written, which is what an adapter has to count as read.

    Raises:
        SourceError: The dataset is unknown, or `seed` or `records` is out of range.
    """
    writers = _WRITERS | _FORMS
    if dataset not in writers:
        raise SourceError(
            f"Cannot make up the dataset {dataset!r}; allowed are {', '.join(writers)}."
        )
    if records < 1:
        raise SourceError(f"Cannot make up {records} records of {dataset}; ask for 1 or more.")
    if seed < 0:
        raise SourceError(f"Seed {seed} is negative; give an integer from 0 up.")
    return writers[dataset](Path(root), seed, records)
