"""Prepared windows to and from JSON records, the form of the reference run. No Ray.

`export_records` lies in `jepa_ray.exchange.export`: the split it needs comes with torch.
"""

from jepa_ray.exchange.ingest import ImportResult, import_records

__all__ = ["ImportResult", "import_records"]
