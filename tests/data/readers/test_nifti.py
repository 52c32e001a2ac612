"""NIfTI volumes: nibabel's own files, and small ones whose corners are marked."""

import gzip
import re
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np
import pytest

from medad.data.intensity import Intensity
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.data.readers import UnreadableImage, count_frames, decode, find_reader, is_image, read_header, registry
from medad.data.readers import nifti as module
from medad.data.readers.nifti import NiftiReader
from medad.data.readers.nifti_header import read_layout
from medad.data.repartition import Repartition

THEIRS = Path(nibabel.__file__).parent / "tests" / "data"
REASONS = {
    "example4d.nii.gz": "holds several volumes (128 x 96 x 24 x 2), not one: split it",
    "example_nifti2.nii.gz": "holds several volumes (32 x 20 x 12 x 2), not one: split it",
    "functional.nii": "holds several volumes (17 x 21 x 3 x 20), not one: split it",
    "nifti1.hdr": "header of a pair",
    "nifti2.hdr": "header of a pair",
    "analyze.hdr": "not an image of a known format",
    "row_major.dconn.nii": "values on surfaces (CIFTI)",
}
FILES = sorted(path.name for path in THEIRS.iterdir() if path.name.endswith((".nii", ".nii.gz", ".hdr")))


def write(path: Path, voxels: np.ndarray, affine: np.ndarray | None = None, **header: float) -> Path:
    """Write a volume in the type of `voxels`; header fields are set after nibabel has chosen its own."""
    image = nibabel.Nifti1Image(voxels, np.eye(4) if affine is None else affine, dtype=voxels.dtype)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    if header:
        content = bytearray(path.read_bytes())
        changed = nibabel.Nifti1Header(bytes(content[:348]), check=False)
        for name, value in header.items():
            changed[name] = value
        content[:348] = changed.binaryblock
        path.write_bytes(content)
    return path


def slices(path: Path, axis: str | None = None) -> np.ndarray:
    """Return all slices of a file as a stack of pictures."""
    count = read_layout(path, axis).geometry.slices
    return np.stack([NiftiReader().slice(path, frame, axis).pixels for frame in range(1, count + 1)])


@pytest.mark.parametrize("name", FILES)
def test_nibabels_own_files_are_read_as_nibabel_reads_them_or_refused_with_the_reason(name: str) -> None:
    if name in REASONS:
        with pytest.raises(UnreadableImage) as error:
            decode(THEIRS / name, 1)
        assert REASONS[name] in error.value.reason
        return
    canonical = nibabel.as_closest_canonical(nibabel.load(THEIRS / name))
    pictures = slices(THEIRS / name)
    zooms = np.round(canonical.header.get_zooms(), 3)
    axis = max(i for i in range(3) if zooms[i] == zooms.max())
    assert count_frames(THEIRS / name) == len(pictures) == canonical.shape[axis]
    expected = np.moveaxis(canonical.get_fdata(), axis, 0).swapaxes(1, 2)[:, ::-1, ::-1]
    np.testing.assert_allclose(pictures, expected, rtol=1e-6)
    assert read_header(THEIRS / name, 1).spacing == pytest.approx(tuple(np.delete(zooms, axis)[::-1]), rel=1e-3)


@pytest.mark.parametrize("name", [name for name in FILES if name != "analyze.hdr"])
def test_no_other_reader_knows_a_volume(name: str) -> None:
    with open(THEIRS / name, "rb") as stream:
        head = stream.read(512)
    assert [reader.name for reader in registry.READERS if reader.knows(head)] == ["nifti"]


def test_no_file_of_nibabel_is_missed() -> None:
    assert set(REASONS) < set(FILES) and len(FILES) >= 11
    others = [path for path in THEIRS.iterdir() if path.is_file() and path.name not in FILES]
    assert not any(isinstance(find_reader(path), NiftiReader) for path in others)


ORIENTATIONS = ["RAS", "LPS", "LAS", "PIR", "ASL", "SRA", "IPL"]


@pytest.mark.parametrize("axes", ORIENTATIONS)
@pytest.mark.parametrize("axis", ["sagittal", "coronal", "axial"])
def test_a_marked_corner_is_where_a_radiologist_looks_for_it_and_finds_its_way_back(
    tmp_path: Path, axes: str, axis: str
) -> None:
    """The marked voxel is the rightmost, foremost and topmost one of the patient, however the file is stored."""
    canonical = np.zeros((4, 5, 6), np.int16)
    canonical[-1, -1, -1] = 7
    canonical[0, -1, -1] = 3  # left, front, top
    turn = nibabel.orientations.ornt_transform(
        nibabel.orientations.axcodes2ornt("RAS"), nibabel.orientations.axcodes2ornt(axes)
    )
    image = nibabel.Nifti1Image(canonical, np.diag([2.0, 3, 4, 1])).as_reoriented(turn)
    path = write(tmp_path / "a.nii.gz", np.asarray(image.dataobj), image.affine)
    assert "".join(nibabel.aff2axcodes(nibabel.load(path).affine)) == axes
    pictures = slices(path, axis)
    where = {tuple(map(int, place)): int(pictures[tuple(place)]) for place in np.argwhere(pictures)}
    assert (
        where
        == {
            # slice, row, column; the patient's right is on the left of the picture, in sagittal ones the front is
            "axial": {(5, 0, 0): 7, (5, 0, 3): 3},
            "coronal": {(4, 0, 0): 7, (4, 0, 3): 3},
            "sagittal": {(3, 0, 0): 7, (0, 0, 0): 3},
        }[axis]
    )
    geometry = read_layout(path, axis).geometry
    assert geometry.spacing == {"axial": (3, 2), "coronal": (4, 2), "sagittal": (4, 3)}[axis]
    np.testing.assert_array_equal(geometry.voxels(pictures), np.asarray(nibabel.load(path).dataobj))
    np.testing.assert_allclose(geometry.affine, image.affine)


@pytest.mark.parametrize(
    ("shape", "spacing", "count"),
    [
        ((3, 4, 5), (1, 1, 1), 5),
        ((3, 4, 5), (1, 3, 3), 5),
        ((3, 4, 5), (3, 1, 1), 3),
        ((3, 4, 5), (1, 3, 1), 4),
        ((3, 4, 5), (1, 1.001, 1), 5),
        ((1, 4, 5), (1, 1, 3), 1),
        ((3, 4), (1, 1, 1), 1),
        ((3, 4, 5, 1), (1, 1, 1), 5),
        ((3, 4, 5, 1, 1), (1, 1, 1), 5),
    ],
)
def test_slices_lie_along_the_largest_spacing_and_are_axial_in_a_tie(tmp_path, shape, spacing, count) -> None:
    voxels = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    path = write(tmp_path / "a.nii", voxels, np.diag([*spacing, 1]))
    assert count_frames(path) == count
    np.testing.assert_array_equal(np.sort(slices(path), axis=None), np.arange(voxels.size))


def test_content_and_not_the_name_makes_a_volume(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii.gz", np.arange(60, dtype=np.int16).reshape(3, 4, 5))
    bare = tmp_path / "scan"
    bare.write_bytes(path.read_bytes())
    assert is_image(bare) and count_frames(bare) == 5
    (tmp_path / "text.nii.gz").write_bytes(gzip.compress(b"no volume " * 100))
    assert find_reader(tmp_path / "text.nii.gz") is None
    (tmp_path / "half.nii.gz").write_bytes(b"\x1f\x8b\x08")
    assert find_reader(tmp_path / "half.nii.gz") is None


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    voxels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = write(tmp_path / "a.nii", voxels, scl_slope=2, scl_inter=-10)
    image = decode(path, 1)
    np.testing.assert_array_equal(np.sort(slices(path), axis=None), np.arange(24) * 2 - 10)
    np.testing.assert_allclose(np.unique(slices(path)), np.unique(nibabel.load(path).get_fdata()))
    assert image.white is None
    path = write(tmp_path / "b.nii", voxels)
    assert decode(path, 1).white == 255 and decode(path, 1).pixels.dtype == np.uint8


def test_one_range_serves_all_slices(tmp_path: Path) -> None:
    voxels = np.stack([np.full((8, 9), value, np.int16) for value in (-1000, 0, 1000)], axis=2)
    path = write(tmp_path / "a.nii", voxels)
    for rule in ("dicom", "file", "percentile 0 100"):
        levels = [int(Intensity.parse(rule)(decode(path, frame))[0].mean()) for frame in (1, 2, 3)]
        assert levels[0] == 0 and abs(levels[1] - 32768) <= 1 and levels[2] == 65535


def test_the_sample_of_a_large_volume_has_its_ends_and_its_percentiles(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("medad.data.readers.sample.SIZE", 1000)
    voxels = np.random.default_rng(0).normal(size=(30, 40, 20)).astype(np.float32)
    voxels[0, 0, 0], voxels[1, 1, 1], voxels[2, 2, 2] = 50, -50, np.nan
    voxels[:, 5] += 3  # one row in 40
    population = decode(write(tmp_path / "a.nii", voxels), 1).population
    assert 500 < population.size < 1100 and (population[0], population[-1]) == (-50, 50)
    assert np.percentile(population, 90) == pytest.approx(np.nanpercentile(voxels, 90), abs=0.15)


def test_what_is_no_number_is_padding(tmp_path: Path) -> None:
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    voxels[0, 0, 0], voxels[1, 2, 0] = np.nan, np.inf
    path = write(tmp_path / "a.nii", voxels)
    image = decode(path, 1)
    assert np.argwhere(image.padding).tolist() == [[0, 0], [2, 1]]
    assert image.remarks == ("voxels that are no number are black",)
    pixels, _ = Intensity.parse("file")(image)
    assert pixels[0, 0] == pixels[2, 1] == 0 and pixels.max() > 0
    assert decode(path, 2).padding is None and not decode(path, 2).remarks
    nothing = write(tmp_path / "b.nii", np.full((2, 3, 4), np.nan, np.float32))
    assert not Intensity.parse("dicom")(decode(nothing, 1))[0].any()


def test_colours(tmp_path: Path) -> None:
    colours = np.random.default_rng(0).integers(0, 256, (3, 4, 2, 3), dtype=np.uint8)
    voxels = colours.view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    path = write(tmp_path / "a.nii", voxels)
    image = decode(path, 2)
    np.testing.assert_array_equal(image.pixels, colours[::-1, ::-1, 1].swapaxes(0, 1))
    assert image.white == 255 and image.header.bits == 8
    np.testing.assert_array_equal(Intensity.parse("dicom")(image)[0], image.pixels)


def test_slices_of_a_volume_belong_together_and_nothing_in_the_header_is_told(tmp_path: Path) -> None:
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    one = write(tmp_path / "a" / "doe.nii", voxels, descrip=b"DOE JOHN", db_name=b"DOE", aux_file=b"doe.txt")
    same, other = write(tmp_path / "b" / "x.nii", voxels), write(tmp_path / "c.nii", voxels + 1)
    patients = [read_header(path, 1).patient for path in (one, one, other)]
    assert patients[0] == patients[1] != patients[2] and read_header(one, 3).patient == patients[0]
    assert "doe" not in str(read_header(one, 1)).lower() and "doe" not in str(decode(one, 1).remarks).lower()
    same.write_bytes(one.read_bytes())
    assert read_header(same, 1).patient == patients[0]
    assert not read_header(write(tmp_path / "flat.nii", voxels[..., 0]), None).patient


def test_a_file_without_a_known_side_says_so(tmp_path: Path) -> None:
    voxels = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    path = write(tmp_path / "a.nii", voxels, qform_code=0, sform_code=0)
    assert decode(path, 1).remarks == ("the file does not say where left is",)
    for damage in ({"srow_x": [np.nan] * 4}, {"srow_x": [0] * 4}, {"srow_x": [0, 1, 0, 0]}):
        broken = write(tmp_path / "b.nii", voxels, **damage)
        assert decode(broken, 1).remarks == ("the affine is damaged: slices are taken as the file stores them",)


def test_a_volume_is_read_once_for_all_its_slices_and_again_when_it_changes(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path / "a.nii.gz", np.arange(600, dtype=np.int16).reshape(6, 10, 10))
    reads, reader = [], NiftiReader()
    read = module._read_volume
    monkeypatch.setattr(module, "_read_volume", lambda path, layout: reads.append(path) or read(path, layout))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda frame: reader.read(path, frame).pixels, [*range(1, 11)] * 4))
    assert len(reads) == 1
    np.testing.assert_array_equal(np.sort(np.stack(found[:10]), axis=None), np.arange(600))
    write(path, np.full((6, 10, 11), 3, np.int16))
    assert reader.read(path, 11).pixels.max() == 3 and len(reads) == 2


def claims(path: Path, dim: list[int], bitpix: int = 16, datatype: int = 4) -> Path:
    header = nibabel.Nifti1Header()
    header["dim"], header["datatype"], header["bitpix"], header["magic"] = dim, datatype, bitpix, b"n+1"
    header["vox_offset"], header["pixdim"] = 352, 1
    path.write_bytes(header.binaryblock + bytes(4) + bytes(1000))
    return path


@pytest.mark.parametrize(
    ("dim", "said"),
    [
        ([3, 32767, 32767, 32767, 1, 1, 1, 1], "its header claims slices of more than"),
        (
            [3, 2000, 2000, 2000, 1, 1, 1, 1],
            "2000 x 2000 x 2000 voxels of 2 bytes: more than 768 MiB",
        ),
        ([3, 100, 100, 100, 1, 1, 1, 1], "cut short"),
        ([3, 0, 4, 4, 1, 1, 1, 1], "claims the size 0 x 4 x 4"),
        ([3, -5, 4, 4, 1, 1, 1, 1], "claims the size -5 x 4 x 4"),
        ([1, 4, 1, 1, 1, 1, 1, 1], "claims the size 4"),
    ],
)
def test_claims_that_cannot_be_are_refused(tmp_path: Path, dim: list[int], said: str) -> None:
    path = claims(tmp_path / "a.nii", dim)
    for file in (path, tmp_path / "a.nii.gz"):
        if file != path:
            file.write_bytes(gzip.compress(path.read_bytes()))
        with pytest.raises(UnreadableImage) as error:
            decode(file, 1)
        assert said in error.value.reason
        assert count_frames(file) == 1


def test_a_bomb_is_unpacked_only_as_far_as_its_header_claims(tmp_path: Path, monkeypatch) -> None:
    path = write(tmp_path / "a.nii", np.full((3, 4, 5), 9, np.int16))
    packed = gzip.compress(path.read_bytes() + bytes(64 * 2**20))
    (tmp_path / "bomb.nii.gz").write_bytes(packed)
    asked, read = [], gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, size=-1: asked.append(size) or read(self, size))
    assert slices(tmp_path / "bomb.nii.gz").max() == 9
    assert min(asked) > 0 and 120 <= sum(asked) < 5 * 700  # five readers, one for each slice, each with a header


@pytest.mark.parametrize("damage", ["cut", "sum", "flip"])
def test_damage_to_the_compression_is_said(tmp_path: Path, damage: str) -> None:
    voxels = np.random.default_rng(0).integers(0, 30000, (20, 30, 40)).astype(np.int16)
    content = bytearray(write(tmp_path / "a.nii.gz", voxels).read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "sum":
        content[-8:-4] = struct.pack("<I", 1)
    else:
        content[len(content) // 2] ^= 255
    path = tmp_path / "b.nii.gz"
    path.write_bytes(content)
    for _ in range(2):  # it is remembered that the volume cannot be read
        with pytest.raises(UnreadableImage, match=r"frame 1: (its compression is damaged|cut short)"):
            decode(path, 1)


def test_complex_and_unknown_types_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", np.ones((2, 3, 4), np.complex64))
    with pytest.raises(UnreadableImage, match="complex numbers"):
        decode(path, 1)
    with pytest.raises(UnreadableImage, match=r"a type that is not read \(NIfTI's 1\)"):
        decode(claims(tmp_path / "b.nii", [3, 2, 2, 2, 1, 1, 1, 1], 1, 1), 1)


def test_frames_that_are_not_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nii", np.ones((2, 3, 4), np.int16))
    for frame, said in ((5, "no such frame, the file has 4"), (None, "has 4 frames")):
        with pytest.raises(UnreadableImage, match=said):
            decode(path, frame)


def test_the_way_back_of_the_documentation(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "volumes.md").read_text(encoding="utf-8")
    code = {}
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], code)
    affine = np.array([[0, 0, -3.0, 5], [-2, 0, 0, 6], [0, 1, 0, 7], [0, 0, 0, 1]])
    path = write(tmp_path / "a.nii.gz", np.arange(60, dtype=np.float32).reshape(3, 4, 5), affine)
    code["save_maps"](slices(path), path, tmp_path / "maps.nii.gz")
    maps, volume = nibabel.load(tmp_path / "maps.nii.gz"), nibabel.load(path)
    np.testing.assert_array_equal(maps.get_fdata(), volume.get_fdata())
    np.testing.assert_allclose(maps.affine, volume.affine)


def test_a_folder_of_volumes_is_a_data_set_of_slices(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("normal/a.nii.gz", "normal/b.nii", "test/abnormal/c.nii.gz"):
        write(tmp_path / name, rng.integers(0, 3000, (8, 9, 3)).astype(np.int16), np.diag([1, 1, 5, 1]))
    who = Repartition.read(tmp_path)
    assert [entry.id for entry in who.normal] == [f"normal/{n}#{i}" for n in ("a.nii.gz", "b.nii") for i in (1, 2, 3)]
    images = load_images(who.normal, Preprocessing(8), cache=False).images
    assert images.pixels.dtype == np.uint16
    assert images.patients[0] == images.patients[2] != images.patients[3] == images.patients[5]
