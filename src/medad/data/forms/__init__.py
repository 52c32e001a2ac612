"""The forms of a repartition: data.json, CSV manifest, MVTec folders, plain folders, a .npz as of MedMNIST.

Names inside a file are relative to the root of the data set; those in a data.json to ``images/`` there;
``a.tif#2`` is a frame of ``a.tif``. Of files found in folders every frame is an image.
"""

from medad.data.forms.data_json import read_json
from medad.data.forms.listed import SPLITS, Listed
from medad.data.forms.manifest import COLUMNS, read_csv
from medad.data.forms.medmnist import read_medmnist
from medad.data.forms.mvtec import is_mvtec, read_mvtec
from medad.data.forms.plain_folders import read_folders

__all__ = [
    "COLUMNS",
    "SPLITS",
    "Listed",
    "is_mvtec",
    "read_csv",
    "read_folders",
    "read_json",
    "read_medmnist",
    "read_mvtec",
]
