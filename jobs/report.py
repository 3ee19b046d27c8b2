"""`ray job submit --working-dir . -- python jobs/report.py jobs/ten-nodes/report.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("report")
