"""The main job on generated archives, end to end."""

from jepa_ray.demo.job import DemoResult, run_demo

__all__ = ["DemoResult", "run_demo"]
