"""The CNN feature dictionary: centres of what a network's last dense stage sees of normal images."""

from medad.detectors.features.kmeans import KMeansDetector


class CNNFeatureDictionary(KMeansDetector):
    """Distance of every place from the nearest word of a dictionary of normal places.

    Scores: ``max`` of the map, which is ``pred_score``, as small defects ask for; ``mean`` and ``top``, which suit
    images where much changes a little.

    Differs from the paper: Napoletano et al. describe patches of 16 x 16 pixels, one after the other, by the last
    layer of ResNet-18; here the last dense stage of the frozen network (with extractor ``resnet18`` of that one)
    describes all places at once and sees more around them. The distance is to the nearest word, not the mean over
    several, as in Bergmann et al.

    References
    ----------
    Napoletano, Piccoli, Schettini, Anomaly detection in nanofibrous materials by CNN-based self-similarity, Sensors
    2018; Bergmann, Fauser, Sattlegger, Steger, Uninformed students, CVPR 2020, table 1.
    """

    name = "cnn_feature_dictionary"
    used = slice(-1, None)
