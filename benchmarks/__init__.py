"""Speed: ratios to a plain rendering of the published recipe, measured in one interleaved run."""
