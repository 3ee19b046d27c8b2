"""`ray job submit --working-dir . -- python jobs/evaluate.py jobs/ten-nodes/evaluate.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("evaluate")
