"""Decoding the images of an archive a little ahead of what is done with them."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

from medad.data.entries import Entry
from medad.data.loading import Loaded, load_images
from medad.data.preprocessing import Preprocessing
from medad.data.readers import pillow_is_quiet


def decode_ahead(
    entries: Sequence[Entry], preprocessing: Preprocessing, chunk: int, jobs: int | None
) -> Generator[Loaded, None, None]:
    """Yield the images chunk by chunk; while the caller works on one, a thread decodes the next, no more.

    New images are seen once, so they are not put into the cache. Close the iterator when it is left
    early: decoding then ends with the files at hand.

    Parameters
    ----------
    entries : sequence of Entry
        At least one.
    preprocessing : Preprocessing
        Size and channels of the result.
    chunk : int
        Number of images in a chunk; memory holds two chunks.
    jobs : int, optional
        Number of threads that decode; all cores by default.
    """
    stop = Event()

    def decode(start: int) -> Loaded:
        return load_images(entries[start : start + chunk], preprocessing, jobs, cache=False, stop=stop)

    with pillow_is_quiet(), ThreadPoolExecutor(1) as pool:
        try:
            loaded = decode(0)  # in the caller's own thread, whose progress is shown: nothing else goes on yet
            for start in range(chunk, len(entries), chunk):
                coming = pool.submit(decode, start)
                yield loaded
                loaded = coming.result()
            yield loaded
        finally:
            stop.set()
