"""The experiments of Cai et al. (Medical Image Analysis 2023): ``medad reproduce``."""
