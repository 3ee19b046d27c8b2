"""`python -m jepa_ray` is `jepa-ray`."""

from jepa_ray.cli import main

main()
