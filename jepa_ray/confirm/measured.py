"""Whether evaluation.json and probes.json are of the checkpoints and windows that are there."""

from typing import Any

from jepa_ray.checkpoint import FILE_NAME
from jepa_ray.confirm.checks import require, require_equal
from jepa_ray.confirm.recorded import Document, Recorded, read_document
from jepa_ray.corpus import COMBINED, fingerprints, prepared
from jepa_ray.evaluate.done import content_of
from jepa_ray.evaluate.files import EVALUATION, PROBES
from jepa_ray.storage import join, list_names

_OLDER = (
    "of an older version, which wrote down no hash of the checkpoints: that it is of these cannot "
    "be told; the same command again writes it with them"
)


def measured(run: Recorded) -> list[str]:
    """Which result files of `evaluate` and `probe` are there, of the run and of its passes."""
    there = set(list_names(run.run))
    found = [name for name in (EVALUATION, PROBES) if name in there]
    for each in run.passes:
        names = list_names(join(run.run, each, COMBINED))
        found += [f"{each}/{COMBINED}/{n}" for n in (EVALUATION, PROBES) if n in names]
    return found


def same_models(run: Recorded, name: str, corpus: str) -> str:
    """A proof: the hashes and fingerprints of a result file are those of now.

    Args:
        run: The run.
        name: Of the file, below its folder.
        corpus: Where the windows lie.
    """
    document, folder = read_document(join(run.run, name)), name.rpartition("/")[0]
    passes = [folder] if folder else [f"{each}/{COMBINED}" for each in run.passes]
    said = _hashes(document)
    if not any(said):
        return _OLDER
    require_equal("the number of checkpoints", len(said), len(passes))
    for each, theirs in zip(passes, said, strict=True):
        ours = content_of(join(run.run, each, FILE_NAME))
        require(
            theirs == ours, f"it was made of another checkpoint than {each} has now: do it again"
        )
    there = prepared(corpus)
    for windows in _windows(document):
        now = fingerprints(corpus, [key for key in windows if key in there])
        for key, fingerprint in windows.items():
            require_equal(f"the fingerprint of {key}", fingerprint, now.get(key))
    return f"of the {len(passes)} checkpoint(s) and the windows that are there"


def _hashes(document: Document) -> list[Any]:
    """Of the checkpoints, in order; None where an older version wrote none."""
    if "passes" in document:
        return [each.get("checkpoint_sha256") for each in document["passes"].values()]
    found = document.get("checkpoint_sha256")
    return found if isinstance(found, list) else [found]


def _windows(document: Document) -> list[dict[str, str]]:
    parts = document["passes"].values() if "passes" in document else [document]
    return [each["corpus"] for each in parts]
