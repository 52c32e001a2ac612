"""The published data sets, a row each: how their images are found and written, and the published counts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from medad.data.publications.chest import FINDING, convert_radiograph, rsna, vindr
from medad.data.publications.found import NORMAL, TEST, UNLABELED, Found, copy_picture
from medad.data.publications.pictures import brain_tumor, brats2021, camelyon16, isic2018, lag
from medad.data.publications.volumes import brats_volumes, cut_brats, cut_mood, mood
from medad.errors import UserError, closest


@dataclass(frozen=True)
class Publication:
    """A data set that somebody published.

    Attributes
    ----------
    find : callable
        Source folder -> its images.
    counts : mapping
        Images by split and kind in the published benchmark; a split without kinds takes what there is.
    source, layout : str
        Where the images come from, and whose split it is.
    fixed : bool
        Whether it is known which images are for training and which for testing.
    save : callable
        Writes an image to ``images/``, and its mask to ``masks/``, of the folder that it is given.
    """

    find: Callable[[Path], Iterator[Found]]
    counts: Mapping[str, Mapping[str, int]]
    source: str
    layout: str = "Cai et al., Medical Image Analysis 2023 (DDAD-ASR)"
    fixed: bool = False
    save: Callable[[Found, Path], None] = copy_picture


_MEDIANOMALY = "Cai et al., MedIAnomaly, 2024"
PUBLICATIONS = {
    "brain_tumor": Publication(
        brain_tumor,
        {
            NORMAL: {"": 1000},
            UNLABELED: {"": 400, "glioma": 300, "meningioma": 300},
            TEST: {"": 600, "glioma": 300, "meningioma": 300},
        },
        "M. Nickparvar, Brain Tumor MRI Dataset, Kaggle (folders Training and Testing)",
    ),
    "lag": Publication(
        lag,
        {NORMAL: {"": 1500}, UNLABELED: {"": 832, "glaucoma": 900}, TEST: {"": 811, "glaucoma": 811}},
        "Li et al., LAG database, CVPR 2019 and IEEE TMI 2020 (folders non_glaucoma and suspicious_glaucoma)",
    ),
    "isic2018": Publication(
        isic2018,
        {NORMAL: {"": 6705}, TEST: {"": 909, "MEL": 171, "BCC": 93, "AKIEC": 43, "BKL": 217, "DF": 44, "VASC": 35}},
        "Codella et al., ISIC 2018 challenge, task 3; Tschandl et al., Scientific Data 2018",
        _MEDIANOMALY,
        fixed=True,
    ),
    "camelyon16": Publication(
        camelyon16,
        {NORMAL: {"": 5088}, TEST: {"": 1120, "tumour": 1113}},
        "Ehteshami Bejnordi et al., JAMA 2017, in patches as MedIAnomaly publishes them (train/good, test/good, "
        "test/Ungood)",
        _MEDIANOMALY,
        fixed=True,
    ),
    "rsna": Publication(
        rsna,
        {
            NORMAL: {"": 3851},
            UNLABELED: {"": 4000, "lung opacity": 5012},
            TEST: {"": 1000, "lung opacity": 1000},
        },
        "RSNA Pneumonia Detection Challenge, Kaggle 2018 (stage_2_train_images, stage_2_detailed_class_info.csv)",
        save=convert_radiograph,
    ),
    "vindr": Publication(
        vindr,
        {NORMAL: {"": 4000}, UNLABELED: {"": 5606, FINDING: 3394}, TEST: {"": 1000, FINDING: 1000}},
        "Nguyen et al., VinDr-CXR, Scientific Data 2022, as in VinBigData's challenge, Kaggle (train, train.csv)",
        save=convert_radiograph,
    ),
    "brats2021": Publication(
        brats2021,
        {NORMAL: {"": 4211}, TEST: {"": 828, "tumour": 1948}},
        "Baid et al., BraTS2021, arXiv 2107.02314, in slices as MedIAnomaly publishes them (train, test/normal, "
        "test/tumor, test/annotation)",
        _MEDIANOMALY,
        fixed=True,
    ),
    "mood": Publication(
        mood,
        {NORMAL: {}, TEST: {}},
        "Zimmerer et al., MOOD challenge, IEEE TMI 2022 (brain_train)",
        "Meissen et al., MIDL 2022: of the volumes by name 60 % in slices 120 to 139, 40 % in slice 128; all normal",
        fixed=True,
        save=cut_mood,
    ),
}
BRATS_VOLUMES = Publication(
    brats_volumes,
    {NORMAL: {}, UNLABELED: {}, TEST: {}},
    "Baid et al., BraTS2021, arXiv 2107.02314 (volumes flair and seg of the training data)",
    "our own, not MedIAnomaly's: FLAIR, each fifth of the middle 70 axial slices, not cropped; of five patients "
    "by name three normal, one unlabeled, one test",
    fixed=True,
    save=cut_brats,
)


def publication(name: str, source: Path) -> Publication:
    """Return what is known of a published data set; BraTS2021 is published as slices and as volumes.

    Raises
    ------
    UserError
        If it is not known.
    """
    if name not in PUBLICATIONS:
        known = f"there are {', '.join(PUBLICATIONS)}{closest(name, PUBLICATIONS)}"
        raise UserError(f"{name}: no such data set; {known}")
    if name == "brats2021" and not (source / "train").is_dir():
        return BRATS_VOLUMES
    return PUBLICATIONS[name]
