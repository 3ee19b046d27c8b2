"""Whether a machine or a cluster can do its work: versions, storage, resources, ports, clock."""

from jepa_ray.doctor.examine import OF_A_CLUSTER, examine
from jepa_ray.doctor.finding import Finding

__all__ = ["OF_A_CLUSTER", "Finding", "examine"]
