"""Ray Data: adapter shards -> windows -> Parquet, manifest, statistics, quarantine."""

from jepa_ray.prepare.stage import PrepareResult, prepare

__all__ = ["PrepareResult", "prepare"]
