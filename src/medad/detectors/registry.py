"""Names, families and papers of all methods, known without importing torch."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medad.errors import OptionError, UserError, check_choice, closest

if TYPE_CHECKING:
    from medad.detectors.contract.detector import Detector

PRESETS = ("paper", "standard", "quick", "tiny")


@dataclass(frozen=True)
class MethodInfo:
    """What is known about a method before it is loaded.

    Attributes
    ----------
    name : str
        As the command line has it.
    where : str
        Module, in this package, and class: ``"FAMILY.MODULE:CLASS"``.
    paper : str
        The source.
    maps, uses_unlabeled : bool
        Whether it gives anomaly maps, and whether unlabeled images help it.
    size : int
        Side of the images that it sees unless told otherwise.
    small_size : int
        The same in all presets but paper; 0 where it is `size`.
    """

    name: str
    where: str
    paper: str
    maps: bool = True
    uses_unlabeled: bool = False
    size: int = 64
    small_size: int = 0

    @property
    def family(self) -> str:
        """The field's family of methods."""
        return self.where.split(".")[0].replace("_", "-")

    def side(self, preset: str) -> int:
        """Return the side of the images that it sees under `preset` unless told otherwise."""
        return self.size if preset == "paper" else self.small_size or self.size

    def load(self) -> "type[Detector]":
        """Import the method's class."""
        module, _, cls = self.where.partition(":")
        return getattr(import_module(f"medad.detectors.{module}"), cls)


_DDAD = "Cai et al., Dual-distribution discrepancy with self-supervised refinement, MedIA 2023"
_MEDIANOMALY = "Cai et al., MedIAnomaly: a comparative study of anomaly detection in medical images, MedIA 2025"
_CONTEXT = "Zimmerer et al., Context-encoding variational autoencoder for unsupervised anomaly detection, 2018"
_STUDENTS = "Bergmann et al., Uninformed students, CVPR 2020"
_NSA = "Schlueter et al., Natural synthetic anomalies for self-supervised anomaly detection and localization, ECCV 2022"
FEATURES = 128  # side of the images of methods on frozen features
CROPPED, SMALL_CROPPED = 256, 128  # of methods that learn to segment made anomalies
CLASSIFIED, SMALL_CLASSIFIED = 224, 128  # of those that learn to classify images with pasted patches
_ROWS = (
    MethodInfo("ddad", "ddad.ddad:DDAD", _DDAD, uses_unlabeled=True),
    MethodInfo("ae", "reconstruction.ae:AEDetector", f"{_DDAD} (backbone AE)"),
    MethodInfo(
        "memae",
        "reconstruction.backbones:MemAEDetector",
        "Gong et al., Memorizing normality to detect anomaly, ICCV 2019",
    ),
    MethodInfo(
        "aeu",
        "reconstruction.backbones:AEUDetector",
        "Mao et al., Abnormality detection in chest X-ray images using uncertainty prediction AE, MICCAI 2020",
    ),
    MethodInfo(
        "vae",
        "variational.vae:VAEDetector",
        "Zimmerer et al., Unsupervised anomaly localization using variational auto-encoders, MICCAI 2019",
    ),
    MethodInfo("cevae", "variational.cevae:CeVAEDetector", _CONTEXT),
    MethodInfo(
        "dae",
        "reconstruction.dae:DAEDetector",
        "Kascenas et al., Denoising autoencoders for unsupervised anomaly detection in brain MRI, MIDL 2022",
    ),
    MethodInfo("ae_spatial", "reconstruction.ae_variants:SpatialAEDetector", _MEDIANOMALY),
    MethodInfo("ae_grad", "reconstruction.ae_variants:AEGrad", _MEDIANOMALY),
    MethodInfo(
        "constrained_ae",
        "reconstruction.ae_variants:ConstrainedAE",
        "Chen and Konukoglu, Unsupervised detection of lesions in brain MRI using "
        "constrained adversarial auto-encoders, 2018",
    ),
    MethodInfo("ceae", "reconstruction.ae_variants:CeAE", _CONTEXT),
    MethodInfo(
        "ssim_ae",
        "reconstruction.ssim_ae:SSIMAEDetector",
        "Bergmann et al., Improving unsupervised defect segmentation by "
        "applying structural similarity to autoencoders, VISAPP 2019",
    ),
    MethodInfo(
        "d2ue",
        "reconstruction.d2ue:D2UE",
        "Gu et al., Revisiting deep ensemble uncertainty for enhanced medical anomaly detection, MICCAI 2024",
    ),
    MethodInfo(
        "aae", "adversarial.aae:AAE", "Makhzani et al., Adversarial autoencoders, 2015; Baur et al., MedIA 2021"
    ),
    MethodInfo(
        "anovaegan",
        "adversarial.anovaegan:AnoVAEGAN",
        "Baur et al., Deep autoencoding models for unsupervised anomaly segmentation, BrainLes 2018",
    ),
    MethodInfo(
        "anogan",
        "adversarial.anogan:AnoGAN",
        "Schlegl et al., Unsupervised anomaly detection with generative "
        "adversarial networks to guide marker discovery, IPMI 2017",
    ),
    MethodInfo(
        "ali",
        "adversarial.ali:ALI",
        "Dumoulin et al., Adversarially learned inference, ICLR 2017; Zenati et al., "
        "Efficient GAN-based anomaly detection, 2018",
    ),
    MethodInfo(
        "fanogan",
        "adversarial.fanogan:FAnoGAN",
        "Schlegl et al., f-AnoGAN: fast unsupervised anomaly detection with generative adversarial networks, "
        "MedIA 2019",
    ),
    MethodInfo(
        "ganomaly",
        "adversarial.ganomaly:GANomaly",
        "Akcay et al., GANomaly: semi-supervised anomaly detection via adversarial training, ACCV 2018",
    ),
    MethodInfo(
        "deep_svdd", "one_class.deep_svdd:DeepSVDD", "Ruff et al., Deep one-class classification, ICML 2018", maps=False
    ),
    MethodInfo(
        "vqvae",
        "codebook.vqvae:VQVAEDetector",
        "Naval Marimont and Tarroni, Anomaly detection through latent space restoration using VQ-VAE, ISBI 2021",
    ),
    MethodInfo(
        "vqvae2",
        "codebook.vqvae2:VQVAE2Detector",
        "Razavi et al., Generating diverse high-fidelity images with VQ-VAE-2, NeurIPS 2019",
    ),
    MethodInfo(
        "igd",
        "one_class.igd:IGD",
        "Chen et al., Deep one-class classification via interpolated Gaussian descriptor, AAAI 2022",
    ),
    MethodInfo(
        "fpi",
        "synthetic.pasted:FPI",
        "Tan et al., Detecting outliers with foreign patch interpolation, MELBA 2022",
        uses_unlabeled=True,
        size=CROPPED,
        small_size=SMALL_CROPPED,
    ),
    MethodInfo(
        "pii",
        "synthetic.pasted:PII",
        "Tan et al., Detecting outliers with Poisson image interpolation, MICCAI 2021",
        uses_unlabeled=True,
        size=CROPPED,
        small_size=SMALL_CROPPED,
    ),
    MethodInfo("nsa", "synthetic.pasted:NSA", _NSA, uses_unlabeled=True, size=CROPPED, small_size=SMALL_CROPPED),
    MethodInfo(
        "cutpaste_e2e",
        "synthetic.pasted:CutPasteE2E",
        f"Li et al., CutPaste: self-supervised learning for anomaly detection and localization, CVPR 2021; {_NSA}",
        uses_unlabeled=True,
        size=CROPPED,
        small_size=SMALL_CROPPED,
    ),
    MethodInfo(
        "knn",
        "features.knn:KNN",
        "Ramaswamy et al., Efficient algorithms for mining outliers from large data sets, SIGMOD 2000",
        maps=False,
        size=FEATURES,
    ),
    MethodInfo(
        "mahalanobis",
        "features.mahalanobis:Mahalanobis",
        "Rippel et al., Modeling the distribution of normal data in pre-trained deep features, ICPR 2020",
        size=FEATURES,
    ),
    MethodInfo(
        "student_teacher",
        "features.student_teacher:StudentTeacher",
        "Bergmann et al., Uninformed students: student-teacher anomaly detection with discriminative latent "
        "embeddings, CVPR 2020",
        uses_unlabeled=True,
        size=FEATURES,
    ),
    MethodInfo(
        "pca",
        "features.pca:PCADetector",
        "Rippel et al., Modeling the distribution of normal data in pre-trained deep features, ICPR 2020",
        size=FEATURES,
    ),
    MethodInfo(
        "padim",
        "features.padim:PaDiM",
        "Defard et al., PaDiM: a patch distribution modeling framework, ICPR Workshops 2021",
        size=FEATURES,
    ),
    MethodInfo(
        "patchcore",
        "features.patchcore:PatchCore",
        "Roth et al., Towards total recall in industrial anomaly detection, CVPR 2022",
        size=FEATURES,
    ),
    MethodInfo("nearest_patch", "features.nearest_patch:NearestPatch", f"{_STUDENTS} (1-NN)", size=FEATURES),
    MethodInfo(
        "ocsvm",
        "features.ocsvm:OCSVM",
        "Schölkopf et al., Estimating the support of a high-dimensional distribution, Neural Computation 2001",
        size=FEATURES,
    ),
    MethodInfo("kmeans", "features.kmeans:KMeansDetector", f"{_STUDENTS} (K-Means)", size=FEATURES),
    MethodInfo(
        "cnn_feature_dictionary",
        "features.dictionary:CNNFeatureDictionary",
        "Napoletano et al., Anomaly detection in nanofibrous materials by CNN-based self-similarity, Sensors 2018",
        size=FEATURES,
    ),
    MethodInfo(
        "cutpaste",
        "synthetic.cutpaste:CutPaste",
        "Li et al., CutPaste: self-supervised learning for anomaly detection and localization, CVPR 2021",
        maps=False,
        size=CLASSIFIED,
        small_size=SMALL_CLASSIFIED,
    ),
    MethodInfo(
        "anatpaste",
        "synthetic.anatpaste:AnatPaste",
        "Sato et al., Anatomy-aware self-supervised learning for anomaly detection in chest radiographs, iScience 2023",
        maps=False,
        size=CLASSIFIED,
        small_size=SMALL_CLASSIFIED,
    ),
    MethodInfo(
        "draem",
        "synthetic.draem:DRAEM",
        "Zavrtanik et al., DRAEM: a discriminatively trained reconstruction embedding for surface anomaly detection, "
        "ICCV 2021",
        size=CROPPED,
        small_size=SMALL_CROPPED,
    ),
    MethodInfo(
        "nu",
        "unlabeled.nu:NU",
        "Elkan and Noto, Learning classifiers from only positive and unlabeled data, KDD 2008",
        uses_unlabeled=True,
        size=FEATURES,
    ),
    MethodInfo(
        "deep_sad",
        "unlabeled.deep_sad:DeepSAD",
        "Ruff et al., Deep semi-supervised anomaly detection, ICLR 2020",
        maps=False,
        uses_unlabeled=True,
    ),
    MethodInfo(
        "loe",
        "unlabeled.loe:LOE",
        "Qiu et al., Latent outlier exposure for anomaly detection with contaminated data, ICML 2022",
        maps=False,
        uses_unlabeled=True,
    ),
    MethodInfo(
        "nu_trees",
        "unlabeled.nu_trees:NUTrees",
        "Geurts et al., Extremely randomized trees, Machine Learning 2006; Elkan and Noto, KDD 2008",
        maps=False,
        uses_unlabeled=True,
        size=FEATURES,
    ),
    MethodInfo(
        "nnpu",
        "unlabeled.nnpu:NNPU",
        "Kiryo et al., Positive-unlabeled learning with non-negative risk estimator, NeurIPS 2017",
        maps=False,
        uses_unlabeled=True,
        size=FEATURES,
    ),
    MethodInfo(
        "knn_ratio",
        "unlabeled.knn_ratio:KNNRatio",
        "Wang et al., Divergence estimation via k-nearest-neighbor distances, IEEE Trans. Inf. Theory 2009",
        maps=False,
        uses_unlabeled=True,
        size=FEATURES,
    ),
    MethodInfo(
        "nu_knn",
        "unlabeled.nu_knn:NUKNN",
        "Vovk, Cross-conformal predictors, AMAI 2015; Tippett, The methods of statistics, 1931",
        maps=False,
        uses_unlabeled=True,
        size=FEATURES,
    ),
    MethodInfo("nsa_nu", "synthetic.nsa_nu:NSANU", f"{_NSA}; Elkan and Noto, KDD 2008", uses_unlabeled=True, size=128),
    MethodInfo("feature_ddad", "unlabeled.feature_ddad:FeatureDDAD", _DDAD, uses_unlabeled=True, size=FEATURES),
)
METHODS = {info.name: info for info in _ROWS}


def method_info(name: str) -> MethodInfo:
    """Return what is known about method `name`.

    Raises
    ------
    UserError
        If there is no such method; the closest name is suggested.
    """
    if name in METHODS:
        return METHODS[name]
    hint = closest(name, METHODS) or f"; known: {', '.join(METHODS)}"
    raise OptionError("method", f"no such method{hint}", name)


def make_detector(
    name: str,
    preset: str = "standard",
    *,
    seed: int = 0,
    precision: str = "fp32",
    device: str = "auto",
    jobs: int | None = None,
    **options: Any,
) -> "Detector":
    """Return an unfitted detector.

    Parameters
    ----------
    name : str
        A name in `METHODS`.
    preset : str
        One of `PRESETS`: the options to start from.
    seed, precision, device, jobs
        See :class:`medad.detectors.contract.detector.Detector`.
    **options
        Override single options of the preset.

    Raises
    ------
    UserError
        For an unknown method, preset or option.
    """
    from medad.data.intensity import default_intensity

    cls = method_info(name).load()
    check_choice("preset", preset, cls.presets)
    values = {"intensity": default_intensity(preset)} | cls.presets[preset] | options
    return cls.from_options(values, seed=seed, precision=precision, device=device, jobs=jobs)


def load_detector(folder: str | Path, **machine: Any) -> "Detector":
    """Return the fitted detector of a run folder; executes nothing that the folder contains.

    Parameters
    ----------
    folder : Path
        Run folder.
    **machine
        `scoring_precision`, `device` and `jobs`: see :class:`medad.detectors.contract.detector.Detector`.

    Raises
    ------
    UserError
        If the folder holds no finished run.
    """
    from medad.training.run_folder import read_run

    run = read_run(Path(folder))
    if "method" not in run:
        raise UserError(f"{folder}: the run is not finished; go on with `resume`")
    return method_info(str(run["method"])).load().load(Path(folder), **machine)
