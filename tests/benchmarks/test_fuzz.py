"""Damaged and hostile files: an image or one clean error, in time and in memory."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz.__main__ import MEMORY, SEED, summarise, table, troubles
from benchmarks.fuzz.bombs import gzip_bomb, nifti_head, zip_bomb
from benchmarks.fuzz.hostile import HOSTILE
from benchmarks.fuzz.look import CRASH, HANG, IMAGE, REFUSED, Outcome, look
from benchmarks.fuzz.mutations import CHANGES, mutation
from benchmarks.fuzz.pool import make, read_all
from benchmarks.fuzz.sources import FAMILIES, sources
from benchmarks.reliability import put
from medad.data.readers import registry

PATIENCE = 60  # seconds: the machine may be busy
COSTLY = ("largest",)  # hostile files that take seconds each


def test_500_damaged_files_and_the_hostile_ones() -> None:
    cases = [*map(str, range(500)), *(name for name in HOSTILE if not name.startswith(COSTLY))]
    outcomes = list(read_all(cases, SEED, 2, PATIENCE))
    assert [(one.name, one.what, one.why) for one in troubles(outcomes)] == []
    assert [one.case for one in outcomes] == cases
    rows = {row["family"]: row for row in summarise(outcomes)}
    assert all(rows[family][REFUSED] > 9 for family in FAMILIES)
    assert all(rows[family][IMAGE] > 9 for family in ("JPEG", "TIFF", "BMP"))  # damaged, yet an image


def test_a_number_makes_the_same_file_again() -> None:
    for number in (3, 40, 41):
        assert mutation(1, number) == mutation(1, number) != mutation(2, number)
    assert {mutation(1, number)[1].split("-")[1] for number in range(200)} == {change.__name__ for change in CHANGES}


@pytest.mark.parametrize("family", FAMILIES)
def test_there_are_whole_files_of_every_family(family: str) -> None:
    assert len(sources(family)) > 1 and all(data for _, data in sources(family))


def test_bombs_are_small_and_unpack_to_gigabytes(tmp_path: Path) -> None:
    import gzip
    import io
    import zipfile

    data = gzip_bomb(nifti_head((4, 4, 4)), 3)
    assert len(gzip.decompress(data)) == 352 + 3 * (16 << 20) and len(data) < 60_000
    with zipfile.ZipFile(io.BytesIO(zip_bomb("a.npy", b"head", 2))) as whole, whole.open("a.npy") as member:
        assert member.read(5) == b"head\0" and whole.getinfo("a.npy").file_size == 4 + 2 * (16 << 20)


class Wicked:
    """A reader that takes memory and breaks the contract."""

    name, version, formats, suffixes, stills = "wicked", "1", ("WICKED",), (), ()

    def knows(self, head: bytes) -> bool:
        return head == b"wicked"

    def frames(self, path: Path) -> int:
        return 1

    def header(self, path: Path, frame: int | None) -> None:
        return None

    def read(self, path: Path, frame: int | None) -> np.ndarray:
        return np.ones(300 << 20, np.uint8)  # not a Decoded


def test_what_is_neither_an_image_nor_one_clean_error_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "READERS", (Wicked(),))
    (tmp_path / "a").write_bytes(b"wicked")
    outcome = look("0", "PNG", tmp_path / "a")
    assert outcome.what == CRASH and "AttributeError" in outcome.why and outcome.memory >= 299 << 20


def test_a_process_that_hangs_or_dies_is_told_and_replaced() -> None:
    first, *rest = read_all(["no such case", "0", "1"], 1, 1, PATIENCE)
    assert first.what == CRASH and "the process ended with 1" in first.why
    assert [one.what in (IMAGE, REFUSED) for one in rest] == [True, True]
    (hung,) = read_all(["pages.tif"], 1, 1, 0.0)
    assert hung.what == HANG and hung.name == "pages.tif"


def test_a_case_is_made_where_it_is_asked_for(tmp_path: Path) -> None:
    family, path = make("7", SEED, tmp_path / "case")
    assert (family, path.name, path.read_bytes()) == mutation(SEED, 7)
    assert make("pipe.png", SEED, tmp_path / "case")[1].is_fifo()


def test_the_table_counts_and_stands_between_its_marks(tmp_path: Path) -> None:
    kinds = ((IMAGE, 0.5, 10), (REFUSED, 1.25, MEMORY + 1), (CRASH, 0.1, 0), (HANG, 5.0, 0))
    outcomes = [Outcome(str(i), "PNG", "x", what, "", s, memory) for i, (what, s, memory) in enumerate(kinds)]
    assert [one.case for one in troubles(outcomes)] == ["1", "2", "3"]
    result = {"count": 4, "seed": 3, "rows": summarise(outcomes), "cpu": "a machine", "cores": 2, "date": "2026-01-01"}
    printed = table(result | {"versions": {"pydicom": "3"}})
    assert "| PNG | 4 | 1 | 1 | 1 | 1 | 1 | 5.00 | 1024 |" in printed and "--count 4 --seed 3" in printed
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- fuzz -->\nold\n<!-- end of fuzz -->\nafter\n")
    put(page, "fuzz", "new")
    assert page.read_text() == "before\n<!-- fuzz -->\nnew\n<!-- end of fuzz -->\nafter\n"
    with pytest.raises(SystemExit, match="are missing"):
        put(page, "other", "new")


def test_what_ends_the_process_in_gdcm_is_not_given_to_it(tmp_path: Path) -> None:
    pytest.importorskip("jpeg_ls")
    data = bytearray(dict(sources("DICOM"))["JPEGLSNearLossless_16.dcm"])
    data[data.find(b"\xff\xf7") + 4] = 200  # bits of a sample
    (tmp_path / "a.dcm").write_bytes(data)
    assert look("0", "DICOM", tmp_path / "a.dcm").what == REFUSED
