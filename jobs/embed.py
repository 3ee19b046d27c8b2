"""`ray job submit --working-dir . -- python jobs/embed.py jobs/ten-nodes/embed.yaml`."""

from jepa_ray.cli.job import main

if __name__ == "__main__":
    main("embed")
