"""`jepa-ray synth`: made-up archives of any size below a data root, on Ray where they are large."""

from jepa_ray.bulk.stage import Wish, write_archives
from jepa_ray.bulk.to_store import write_to_store

__all__ = ["Wish", "write_archives", "write_to_store"]
