"""Of what evaluation.json and probes.json were made."""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from jepa_ray.report.forms.base import Named


class Origin(Struct):
    """Checkpoints, windows and settings; an older version wrote none of them."""

    checkpoint_sha256: str | Annotated[list[str], Meta(max_length=256)] | None = None
    corpus: Named[str] = field(default_factory=dict)
    settings: Named[Any] = field(default_factory=dict)
    run_id: str | None = None
