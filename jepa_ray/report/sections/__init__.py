"""The chapters of the page, in the order in which a manager reads."""

import logging
from collections.abc import Callable, Iterator

from jepa_ray.report.blocks import Block, Problem, Section
from jepa_ray.report.results import Results, Wrong, unforeseen
from jepa_ray.report.sections import (
    beyond,
    curves,
    order,
    origin,
    pictures,
    probes,
    provenance,
    tables,
    verdict,
)

log = logging.getLogger(__name__)

Part = Callable[[Results], Iterator[Block]]

CHAPTERS: tuple[tuple[str, str, tuple[Part, ...]], ...] = (
    ("verdict", "Verdict", (*verdict.PARTS, *origin.PARTS)),
    ("reference", "Next to the reference run", tables.PARTS),
    ("curves", "Loss and skill over training", curves.PARTS),
    ("beyond", "What the loss does not tell", beyond.PARTS),
    ("order", "Order and forgetting", order.PARTS),
    ("probes", "What the embeddings are good for", probes.PARTS),
    ("windows", "Windows and embeddings, seen", pictures.PARTS),
    ("provenance", "Provenance", provenance.PARTS),
)


def chapters(results: Results) -> list[Section]:
    """All chapters; a part whose file is wrong says so and spoils no other."""
    return [Section(anchor, title, _blocks(parts, results)) for anchor, title, parts in CHAPTERS]


def _blocks(parts: tuple[Part, ...], results: Results) -> list[Block]:
    """What the parts say; the same fault is said once."""
    blocks: list[Block] = []
    for part in parts:
        blocks += [b for b in _said(part, results) if not isinstance(b, Problem) or b not in blocks]
    return blocks


def _said(part: Part, results: Results) -> Iterator[Block]:
    try:
        yield from part(results)
    except Wrong as error:
        yield Problem(f"This part cannot be shown. {error}")
    except Exception as error:
        log.debug("a part of the page failed", exc_info=True)
        yield Problem(f"This part cannot be shown. {unforeseen(error)}")
