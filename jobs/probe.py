"""`ray job submit --working-dir . -- python jobs/probe.py jobs/ten-nodes/probe.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("probe")
