"""`ray job submit --working-dir . -- python jobs/prepare.py jobs/ten-nodes/prepare.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("prepare")
