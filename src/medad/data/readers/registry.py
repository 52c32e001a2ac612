"""The readers, one row each; the first one that knows a file's head reads the file."""

from medad.data.readers.contract import Reader
from medad.data.readers.dicom import DicomReader
from medad.data.readers.nifti import NiftiReader
from medad.data.readers.npz import NpzReader
from medad.data.readers.pillow import PillowReader

# DICOM first: what stands before its mark may begin like a TIFF file.
READERS: tuple[Reader, ...] = (DicomReader(), PillowReader(), NiftiReader(), NpzReader())
