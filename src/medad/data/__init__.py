"""Files to image sets: readers, repartitions, cache, phantom images."""
