"""`ray job submit --working-dir . -- python jobs/train.py jobs/ten-nodes/train.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("train")
