"""Data sets as they are published: where their images lie, what is known of each, and the published counts."""

from medad.data.publications.found import NORMAL, TEST, UNLABELED, Found
from medad.data.publications.registry import PUBLICATIONS, Publication, publication

__all__ = ["NORMAL", "PUBLICATIONS", "TEST", "UNLABELED", "Found", "Publication", "publication"]
