"""`ray job submit --working-dir . -- python jobs/verify.py jobs/ten-nodes/verify.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("verify")
