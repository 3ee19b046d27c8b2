"""A verb as a job of a Ray cluster: what is sent, what comes back."""

from jepa_ray.submit.client import Jobs, Submission
from jepa_ray.submit.package import require_small

__all__ = ["Jobs", "Submission", "require_small"]
