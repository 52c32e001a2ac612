"""How certain figures are, and whether methods differ: the one place to import it from."""

from medad.evaluation.bootstrap import bootstrap_draws, paired_bootstrap
from medad.evaluation.delong import Comparison, delong_test, delong_variance
from medad.evaluation.intervals import ap_interval, auroc_interval, few_words, proportion_interval, spread_interval
from medad.evaluation.ranks import RankComparison, SignedRank, friedman_nemenyi, holm, wilcoxon
from medad.evaluation.units import units

__all__ = [
    "Comparison",
    "RankComparison",
    "SignedRank",
    "ap_interval",
    "auroc_interval",
    "bootstrap_draws",
    "delong_test",
    "delong_variance",
    "few_words",
    "friedman_nemenyi",
    "holm",
    "paired_bootstrap",
    "proportion_interval",
    "spread_interval",
    "units",
    "wilcoxon",
]
