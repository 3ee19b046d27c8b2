"""`ray job submit --working-dir . -- python jobs/confirm.py jobs/ten-nodes/confirm.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("confirm")
