"""Speed: ratios to a plain rendering of the published recipe, measured in one interleaved run."""

# Before medad, which makes waiting threads sleep: so the reference's wait as torch has it. Processes in which medad
# trains are started later, and are as medad makes them.
import torch  # noqa: F401
