"""The commands that fill a part that is empty."""

from jepa_ray.report.blocks import Absent
from jepa_ray.report.results import Results, command_word


def evaluate(results: Results, what: str) -> Absent:
    """No evaluation yet."""
    return Absent(
        f"{what}: not measured yet. This command does:",
        f"jepa-ray evaluate {results.shown} --processed-dir {results.shown_processed}",
    )


def probe(results: Results) -> Absent:
    """No probes yet."""
    return Absent(
        "What the embeddings are good for was not tested yet. This command does:",
        f"jepa-ray probe {results.shown} --processed-dir {results.shown_processed}",
    )


def prepared(results: Results) -> Absent:
    """No prepared datasets at hand."""
    return Absent(
        "Records and distinct windows of the datasets are not at hand. This command reads them:",
        f"jepa-ray report {results.shown} --processed-dir P",
    )


def confirm(results: Results, what: str) -> Absent:
    """No passes."""
    return Absent(
        f"{what}: this folder is a single training. Several seeded passes come from:",
        f"jepa-ray confirm --processed-dir {results.shown_processed} --storage-path O --run-id ID",
    )


def unfinished(results: Results, what: str) -> Absent:
    """Passes are still to come."""
    return Absent(
        f"{what} is known when all passes are finished. This command goes on with them:",
        f"jepa-ray confirm --processed-dir {results.shown_processed} --storage-path O --run-id "
        f"{command_word(results.name)}",
    )
