"""How certain figures are, and whether methods differ: the one place to import it from."""

from medad.evaluation.bootstrap import bootstrap_draws, paired_bootstrap, stratified_bootstrap, units
from medad.evaluation.delong import Comparison, Interval, delong_interval, delong_test, delong_variance
from medad.evaluation.ranks import RankComparison, SignedRank, friedman_nemenyi, holm, wilcoxon

__all__ = [
    "Comparison",
    "Interval",
    "RankComparison",
    "SignedRank",
    "bootstrap_draws",
    "delong_interval",
    "delong_test",
    "delong_variance",
    "friedman_nemenyi",
    "holm",
    "paired_bootstrap",
    "stratified_bootstrap",
    "units",
    "wilcoxon",
]
