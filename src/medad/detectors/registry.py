"""Names, families and papers of all methods, known without importing torch."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medad.errors import OptionError, UserError, check_choice, closest

if TYPE_CHECKING:
    from medad.detectors.base import Detector

PRESETS = ("paper", "standard", "quick", "tiny")


@dataclass(frozen=True)
class MethodInfo:
    """What is known about a method before it is loaded.

    Attributes
    ----------
    name, family, paper : str
        The name on the command line, the field's family of methods, and the source.
    maps, uses_unlabeled : bool
        Whether it gives anomaly maps, and whether unlabeled images help it.
    module, cls : str
        Where its class stands.
    """

    name: str
    family: str
    maps: bool
    uses_unlabeled: bool
    paper: str
    module: str
    cls: str

    def load(self) -> "type[Detector]":
        """Import the method's class."""
        return getattr(import_module(self.module), self.cls)


_DDAD = "Cai et al., Dual-distribution discrepancy with self-supervised refinement, MedIA 2023"
METHODS = {
    info.name: info
    for info in (
        MethodInfo("ddad", "ensemble", True, True, _DDAD, "medad.detectors.ddad", "DDAD"),
        MethodInfo(
            "ae",
            "reconstruction",
            True,
            False,
            f"{_DDAD} (backbone AE)",
            "medad.detectors.ae",
            "AEDetector",
        ),
        MethodInfo(
            "memae",
            "reconstruction",
            True,
            False,
            "Gong et al., Memorizing normality to detect anomaly, ICCV 2019",
            "medad.detectors.reconstruction",
            "MemAEDetector",
        ),
        MethodInfo(
            "aeu",
            "reconstruction",
            True,
            False,
            "Mao et al., Abnormality detection in chest X-ray images using uncertainty prediction AE, MICCAI 2020",
            "medad.detectors.reconstruction",
            "AEUDetector",
        ),
        MethodInfo(
            "vae",
            "reconstruction",
            True,
            False,
            "Zimmerer et al., Unsupervised anomaly localization using variational auto-encoders, MICCAI 2019",
            "medad.detectors.vae",
            "VAEDetector",
        ),
        MethodInfo(
            "cevae",
            "reconstruction",
            True,
            False,
            "Zimmerer et al., Context-encoding variational autoencoder for unsupervised anomaly detection, 2018",
            "medad.detectors.cevae",
            "CeVAEDetector",
        ),
        MethodInfo(
            "dae",
            "reconstruction",
            True,
            False,
            "Kascenas et al., Denoising autoencoders for unsupervised anomaly detection in brain MRI, MIDL 2022",
            "medad.detectors.dae",
            "DAEDetector",
        ),
        MethodInfo(
            "ae_spatial",
            "reconstruction",
            True,
            False,
            "Cai et al., MedIAnomaly: a comparative study of anomaly detection in medical images, MedIA 2025",
            "medad.detectors.ae_variants",
            "SpatialAEDetector",
        ),
        MethodInfo(
            "ae_grad",
            "reconstruction",
            True,
            False,
            "Cai et al., MedIAnomaly: a comparative study of anomaly detection in medical images, MedIA 2025",
            "medad.detectors.ae_variants",
            "AEGrad",
        ),
        MethodInfo(
            "constrained_ae",
            "reconstruction",
            True,
            False,
            "Chen and Konukoglu, Unsupervised detection of lesions in brain MRI using constrained adversarial "
            "auto-encoders, 2018",
            "medad.detectors.ae_variants",
            "ConstrainedAE",
        ),
        MethodInfo(
            "ceae",
            "reconstruction",
            True,
            False,
            "Zimmerer et al., Context-encoding variational autoencoder for unsupervised anomaly detection, 2018",
            "medad.detectors.ae_variants",
            "CeAE",
        ),
        MethodInfo(
            "ssim_ae",
            "reconstruction",
            True,
            False,
            "Bergmann et al., Improving unsupervised defect segmentation by applying structural similarity to "
            "autoencoders, VISAPP 2019",
            "medad.detectors.ssim_ae",
            "SSIMAEDetector",
        ),
        MethodInfo(
            "aae",
            "reconstruction",
            True,
            False,
            "Makhzani et al., Adversarial autoencoders, 2015; Baur et al., MedIA 2021",
            "medad.detectors.aae",
            "AAE",
        ),
        MethodInfo(
            "anovaegan",
            "gan",
            True,
            False,
            "Baur et al., Deep autoencoding models for unsupervised anomaly segmentation, BrainLes 2018",
            "medad.detectors.anovaegan",
            "AnoVAEGAN",
        ),
        MethodInfo(
            "anogan",
            "gan",
            True,
            False,
            "Schlegl et al., Unsupervised anomaly detection with generative adversarial networks to guide marker "
            "discovery, IPMI 2017",
            "medad.detectors.anogan",
            "AnoGAN",
        ),
        MethodInfo(
            "ali",
            "gan",
            True,
            False,
            "Dumoulin et al., Adversarially learned inference, ICLR 2017; Zenati et al., Efficient GAN-based anomaly "
            "detection, 2018",
            "medad.detectors.ali",
            "ALI",
        ),
        MethodInfo(
            "fanogan",
            "gan",
            True,
            False,
            "Schlegl et al., f-AnoGAN: fast unsupervised anomaly detection with generative adversarial networks, "
            "MedIA 2019",
            "medad.detectors.fanogan",
            "FAnoGAN",
        ),
        MethodInfo(
            "ganomaly",
            "gan",
            True,
            False,
            "Akcay et al., GANomaly: semi-supervised anomaly detection via adversarial training, ACCV 2018",
            "medad.detectors.ganomaly",
            "GANomaly",
        ),
        MethodInfo(
            "deep_svdd",
            "one-class",
            False,
            False,
            "Ruff et al., Deep one-class classification, ICML 2018",
            "medad.detectors.deep_svdd",
            "DeepSVDD",
        ),
        MethodInfo(
            "vqvae",
            "reconstruction",
            True,
            False,
            "Naval Marimont and Tarroni, Anomaly detection through latent space restoration using VQ-VAE, ISBI 2021",
            "medad.detectors.vqvae",
            "VQVAEDetector",
        ),
        MethodInfo(
            "vqvae2",
            "reconstruction",
            True,
            False,
            "Razavi et al., Generating diverse high-fidelity images with VQ-VAE-2, NeurIPS 2019",
            "medad.detectors.vqvae2",
            "VQVAE2Detector",
        ),
        MethodInfo(
            "igd",
            "reconstruction",
            True,
            False,
            "Chen et al., Deep one-class classification via interpolated Gaussian descriptor, AAAI 2022",
            "medad.detectors.igd",
            "IGD",
        ),
    )
}


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
        See :class:`medad.detectors.base.Detector`.
    **options
        Override single options of the preset.

    Raises
    ------
    UserError
        For an unknown method, preset or option.
    """
    cls = method_info(name).load()
    check_choice("preset", preset, cls.presets)
    return cls.from_options(cls.presets[preset] | options, seed=seed, precision=precision, device=device, jobs=jobs)


def load_detector(folder: str | Path, **machine: Any) -> "Detector":
    """Return the fitted detector of a run folder; executes nothing that the folder contains.

    Parameters
    ----------
    folder : Path
        Run folder.
    **machine
        `scoring_precision`, `device` and `jobs`: see :class:`medad.detectors.base.Detector`.

    Raises
    ------
    UserError
        If the folder holds no finished run.
    """
    from medad.training.run import read_run

    run = read_run(Path(folder))
    if "method" not in run:
        raise UserError(f"{folder}: the run is not finished; go on with --resume")
    return method_info(str(run["method"])).load().load(Path(folder), **machine)
