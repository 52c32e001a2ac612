"""Reading files: medad against a plain pool of workers around Pillow and pydicom that converts in the same way.

``python -m benchmarks.decoding`` writes ``benchmarks/results/decoding/MACHINE.json``, which the page on speed shows.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.images import make_pixels
from benchmarks.machine import describe
from benchmarks.memory import forget_peak, peak
from benchmarks.tables import BUSY
from benchmarks.timing import Piece, interleave
from medad.cores import cores
from medad.data.entries import Entry
from medad.data.finding import find_images
from medad.data.loading import load_images
from medad.data.preprocessing import Preprocessing
from medad.reports.markdown import markdown_table

DECODING = Path(__file__).parent / "results" / "decoding"
SIDE, CHUNK = 64, 32  # of the result, and files that a worker of the plain pool is given at a time
LINKS = 10_000  # names of one file: file systems limit them
SQUARE = Preprocessing(SIDE)
Way = Callable[[Sequence[Path]], object]
PLAIN = ("threads", "processes")
KINDS = ("JPEG", "PNG", "DICOM", "DICOM, JPEG 2000")
WHAT = """\
`python -m benchmarks.decoding` reads files of 512 x 512 pixels and makes squares of 64 x 64 of them: medad, without \
its cache, with all that it checks and notes; and a pool of workers around Pillow or pydicom that does nothing but the \
same conversion, once with threads and once with processes, of which the faster counts. Both run in turns. DICOM files \
have 12 bits, a rescale slope and a window. A ratio of 1.1 means that medad takes 10 % longer."""


def write_files(folder: Path, kind: str, count: int, side: int = 512) -> list[Path]:
    """Write `count` files of a kind and return their paths."""
    pixels = make_pixels(min(count, 8), side)[:, 0]
    noise = np.random.default_rng(0).integers(0, 16, (side, side), np.uint16)
    suffix = {"JPEG": "jpg", "PNG": "png"}.get(kind, "dcm")
    paths = [folder / f"{kind.replace(', ', '-').replace(' ', '')}-{number}.{suffix}" for number in range(count)]
    for number, path in enumerate(paths):
        image = pixels[number % len(pixels)]
        if suffix == "dcm":
            _write_dicom(path, (image.astype(np.uint16) << 4) + noise, compressed=kind != "DICOM")
        else:
            Image.fromarray(np.clip(image + noise, 0, 255).astype(np.uint8)).save(path)
    return paths


def _write_dicom(path: Path, pixels: np.ndarray, compressed: bool) -> None:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one = FileDataset(path, {}, file_meta=meta, preamble=bytes(128))
    one.SOPClassUID, one.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    one.PatientID, one.Modality, one.SamplesPerPixel, one.PhotometricInterpretation = "0", "CT", 1, "MONOCHROME2"
    one.Rows, one.Columns = pixels.shape
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 12, 11, 0
    one.RescaleSlope, one.RescaleIntercept, one.WindowCenter, one.WindowWidth = "1", "-1024", "1000", "2000"
    one.PixelData = pixels.tobytes()
    if compressed:
        one.compress(JPEG2000Lossless)
    one.save_as(path, enforce_file_format=True)


def plain_picture(path: Path) -> np.ndarray:
    """Read a file as a few lines of Pillow do."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def plain_dicom(path: Path) -> np.ndarray:
    """Read a file as a few lines of pydicom do."""
    from pydicom import dcmread
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    one = dcmread(path)
    levels = apply_voi_lut(apply_modality_lut(one.pixel_array, one), one).astype(np.float32)
    return np.asarray(Image.fromarray(levels).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def plain(pool: Executor, paths: Sequence[Path]) -> np.ndarray:
    """Read files by a plain pool of workers; return the squares."""
    read = plain_dicom if paths[0].suffix == ".dcm" else plain_picture
    chunks = [paths[i : i + CHUNK] for i in range(0, len(paths), CHUNK)]
    return np.concatenate(list(pool.map(partial(_all, read), chunks)))


def _all(read: Callable[[Path], np.ndarray], paths: Sequence[Path]) -> np.ndarray:
    return np.stack([read(path) for path in paths])


def ours(paths: Sequence[Path]) -> np.ndarray:
    """Read files by medad."""
    loaded = load_images([Entry(path.name, path) for path in paths], SQUARE, cores(), cache=False)
    if loaded.failures:
        raise SystemExit(f"{loaded.failures[0].path.name}: {loaded.failures[0].reason}")
    return loaded.images.pixels[:, 0]


def compare(folder: Path, count: int, rounds: int) -> list[dict[str, Any]]:
    """Time every kind of file; return a row for each: the seconds that each way took, round by round."""
    spawn = multiprocessing.get_context("spawn")
    rows = []
    with ThreadPoolExecutor(cores()) as threads, ProcessPoolExecutor(cores(), mp_context=spawn) as processes:
        for kind in KINDS:
            paths = write_files(folder, kind, count)
            ways: dict[str, Way] = {"medad": ours, "threads": partial(plain, threads)}
            ways["processes"] = partial(plain, processes)
            pieces = [Piece(f"{kind}/{name}", partial(way, paths), count) for name, way in ways.items()]
            interleave(pieces, 1 + rounds)
            seconds = {name: piece.seconds[1:] for name, piece in zip(ways, pieces, strict=True)}  # the first imports
            rows.append({"kind": kind, "count": count, "seconds": seconds})
    return rows


def read_many(folder: Path, count: int) -> dict[str, Any]:
    """Find, count and read `count` small files; return seconds, and memory in bytes beside the array of the result."""
    begin, before = time.perf_counter(), forget_peak()
    entries = find_images([folder]).entries
    loaded = load_images(entries, SQUARE, cache=False)
    if len(loaded.images) != count:
        raise SystemExit(f"{len(loaded.images)} of {count} files were read")
    memory = peak() - before - loaded.images.pixels.nbytes
    return {"count": count, "seconds": time.perf_counter() - begin, "bytes": memory}


def write_many(folder: Path, count: int) -> None:
    """Write small files, most of them as links to others, which are read as any file is."""
    for number in range(count):
        first = folder / f"{number // LINKS * LINKS:06}.tif"
        if number % LINKS:
            os.link(first, folder / f"{number:06}.tif")
        else:
            Image.fromarray(make_pixels(1, 32, number)[0, 0]).save(first)


def measure(count: int, rounds: int, many: int) -> dict[str, Any]:
    """Return a whole result; files of many are read in a process of its own, whose memory is measured."""
    with TemporaryDirectory(prefix="medad-bench-") as folder:
        rows = compare(Path(folder), count, rounds)
    with TemporaryDirectory(prefix="medad-bench-") as folder:
        write_many(Path(folder), many)
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            found = process.submit(read_many, Path(folder), many).result()
    return {"machine": describe(), "rounds": rounds, "rows": rows, "many": found}


def section(results: Path = DECODING) -> str:
    """Return what the page on speed says of reading files."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]
    parts = [text for result in found for text in (_headline(result), _table(result), _many(result))]
    return "\n\n".join([WHAT, *(parts or ["Nothing has been measured yet."])])


def _headline(result: dict[str, Any]) -> str:
    m = result["machine"]
    busy = f"; **other processes kept {m['load']} cores busy**" if m["load"] > BUSY else ""
    return f"{m['cpu']}, {m['cores']} cores; Python {m['python']}, medad {m['medad']}; {m['date']}{busy}"


def _table(result: dict[str, Any]) -> str:
    rows = [["files", "medad, files/s", "plain threads", "plain processes", "ratio of the times (range over rounds)"]]
    for row in result["rows"]:
        seconds = row["seconds"]
        rates = [f"{row['count'] / median(seconds[name]):,.0f}" for name in ("medad", *PLAIN)]
        best = min(PLAIN, key={name: median(seconds[name]) for name in PLAIN}.__getitem__)
        ratios = [a / b for a, b in zip(seconds["medad"], seconds[best], strict=True)]
        rows.append([row["kind"], *rates, f"{median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"])
    return markdown_table(rows)


def _many(result: dict[str, Any]) -> str:
    many = result["many"]
    each = many["bytes"] / many["count"]
    return (
        f"{many['count']:,} small TIFF files were found, counted and read within {many['seconds']:.0f} s; beside the "
        f"array of the result that took {many['bytes'] / 2**20:.0f} MiB, which is {each:,.0f} bytes a file."
    )


def main() -> None:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decoding", description=__doc__)
    parser.add_argument("--count", type=int, default=256, help="files of each kind")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--many", type=int, default=100_000, help="small files")
    parser.add_argument("--out", type=Path, help="file to write; by default results/decoding/MACHINE.json")
    a = parser.parse_args()
    result = measure(a.count, a.rounds, a.many)
    print(f"{_headline(result)}\n\n{_table(result)}\n\n{_many(result)}")
    out = a.out or DECODING / f"{result['machine']['slug']}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
