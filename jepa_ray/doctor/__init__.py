"""Whether a machine or a cluster can do its work: versions, storage, resources, ports, clock."""

from jepa_ray.doctor.examine import examine
from jepa_ray.doctor.finding import Finding

__all__ = ["Finding", "examine"]
