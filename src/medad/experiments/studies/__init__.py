"""Our own studies: each computes something, by ``python -m medad.experiments.studies.NAME``."""
