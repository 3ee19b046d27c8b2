"""`jepa-ray report`: the page and the cards of a run, written beside its results."""

from typing import Any

from jepa_ray.report.cards import model_card
from jepa_ray.report.dataset_cards import dataset_cards
from jepa_ray.report.page import render
from jepa_ray.report.results import open_results
from jepa_ray.storage import join, write_bytes


def write_report(
    folder: str, *, processed_dir: str | None = None, output: str | None = None
) -> dict[str, Any]:
    """Write index.html, model_card.md and datasets/<name>.md; what was there is replaced.

    Args:
        folder: Path or URL of a confirmation run or of a single training.
        processed_dir: Of the prepared datasets; None: where confirmation.json says.
        output: Folder to write to; None: `<folder>/report`.

    Returns:
        `report --json`.

    Raises:
        UsageError: There are no result files, or the output cannot be written.
    """
    results = open_results(folder, processed_dir)
    target = output or join(folder, "report")
    page = join(target, "index.html")
    html = _bytes(render(results))
    cards = {"model_card.md": model_card(results)} | {
        f"datasets/{name}.md": text for name, text in dataset_cards(results).items()
    }
    for name, text in cards.items():
        write_bytes(join(target, name), _bytes(text))
    write_bytes(page, html)
    return {
        "run_id": results.name,
        "page": page,
        "cards": [join(target, name) for name in cards],
        "passes": len(results.passes),
        "expected_passes": results.expected,
        "bytes": len(html),
    }


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
