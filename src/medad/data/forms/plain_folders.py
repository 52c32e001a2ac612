"""The folders ``normal/``, ``unlabeled/``, ``test/normal/`` and ``test/abnormal/``."""

from pathlib import Path

from medad.data.entries import Entry, list_files
from medad.data.forms.listed import SPLITS, Listed, every_frame, look_for_strays, make_entry

FOLDERS = (
    ("normal", "normal", 0),
    ("unlabeled", "unlabeled", None),
    ("test", "test/normal", 0),
    ("test", "test/abnormal", 1),
)


def read_folders(root: Path) -> Listed:
    """Read the folders; unlabeled images have no label.

    Raises
    ------
    UserError
        If files lie in a folder that belongs to no split.
    """
    splits: dict[str, list[Entry]] = {split: [] for split in SPLITS}
    for split, folder, label in FOLDERS:
        splits[split].extend(make_entry(root, f"{folder}/{name}", label) for name in list_files(root / folder))
    notes = look_for_strays(root, splits, ", ".join(f"{folder}/" for _, folder, _ in FOLDERS))
    return every_frame(splits, notes)
