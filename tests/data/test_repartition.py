"""The four forms of a repartition: reading, refusing, writing."""

import csv
import json
import os
import tempfile
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medad.data.entries import Entry
from medad.data.repartition import Repartition
from medad.errors import UserError


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def listed(normal: str = "a", unlabeled: tuple[str, str] = ("b", "c"), test: tuple[str, str] = ("d", "e")) -> dict:
    """One letter is one image: ``images/a.png``."""
    files = lambda letters: [f"{letter}.png" for letter in letters]  # noqa: E731
    pool = {"0": files(unlabeled[0]), "1": files(unlabeled[1])}
    train = {"0": files(normal), "unlabeled": pool}
    return {"train": train, "test": {"0": files(test[0]), "1": files(test[1])}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    touch(tmp_path, *(f"images/{letter}.png" for letter in "abcdef"), "masks/e.png")
    return tmp_path


def write_json(root: Path, document: object, name: str = "data.json") -> Path:
    (root / name).write_text(json.dumps(document))
    return root / name


def write_csv(root: Path, *rows: str, name: str = "manifest.csv") -> Path:
    (root / name).write_text("\n".join(rows) + "\n")
    return root / name


def ids(entries: tuple[Entry, ...]) -> list[str]:
    return [entry.id for entry in entries]


def message(data: Path, split: Path | None = None) -> str:
    with pytest.raises(UserError) as caught:
        Repartition.read(data, split)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_json(root: Path) -> None:
    write_json(root, listed("fa"))
    found = Repartition.read(root)
    assert ids(found.normal) == ["images/f.png", "images/a.png"]
    assert [(entry.id, entry.label) for entry in found.unlabeled] == [
        ("images/b.png", 0),
        ("images/c.png", 1),
    ]
    assert [(entry.id, entry.label) for entry in found.test] == [("images/d.png", 0), ("images/e.png", 1)]
    assert found.test[0].path == root / "images/d.png"
    assert found == Repartition.read(root / "data.json")


def test_json_takes_kinds_patients_and_masks_from_the_manifest(root: Path) -> None:
    write_json(root, listed())
    write_csv(root, "path,split,label,kind,patient,mask", "images/e.png,test,1,cyst,p7,masks/e.png")
    test = Repartition.read(root).test
    assert test[1] == Entry("images/e.png", root / "images/e.png", 1, "cyst", "p7", root / "masks/e.png")
    assert test[0] == Entry("images/d.png", root / "images/d.png", 0)


def test_an_unrelated_manifest_does_not_block_the_json(root: Path) -> None:
    write_json(root, listed())
    write_csv(root, "file;checksum", "images/a.png;0")
    found = Repartition.read(root)
    assert ids(found.normal) == ["images/a.png"]
    (note,) = found.notes
    assert "must name the columns path and split" in note and "masks are not taken from it" in note


def test_images_that_the_manifest_does_not_know_are_counted(root: Path) -> None:
    write_json(root, listed())
    write_csv(root, "path,split,label", "images/e.png,test,1")
    (note,) = Repartition.read(root).notes
    assert note.startswith("manifest.csv does not list 4 of the 5 images of the split file (first: images/a.png)")
    write_csv(root, "path,split,label", *(f"images/{name}.png,test,1" for name in "abcde"))
    assert Repartition.read(root).notes == ()


def test_split_replaces_the_default_file(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = write_json(tmp_path_factory.mktemp("splits"), listed("f"), "other.json")
    write_json(root, listed())
    write_json(root, listed("b", ("", "")), "less.json")
    write_csv(root, "path,split", "images/c.png,normal", name="mine.csv")
    assert ids(Repartition.read(root, Path("less.json")).normal) == ["images/b.png"]
    assert ids(Repartition.read(root, elsewhere).normal) == ["images/f.png"]
    assert ids(Repartition.read(root / "data.json", Path("mine.csv")).normal) == ["images/c.png"]
    assert "no such file" in message(root, Path("none.json"))
    assert "give a .json or .csv file" in message(root, Path("images/a.png"))


def test_csv(root: Path) -> None:
    other = root / "other"
    other.mkdir()
    write_csv(
        other,
        "\ufeffpath,split,label,kind,patient,mask,comment",
        '../images/a.png,normal,,,"p,1",,first',
        "../images/b.png,unlabeled,,,,,",
        "../images/c.png,unlabeled,1.0,,,,",
        "../images/e.png,test,1,cyst,p2,../masks/e.png,",
    )
    found = Repartition.read(other)
    assert found.normal == (Entry("../images/a.png", root / "images/a.png", 0, "", "p,1"),)
    assert [entry.label for entry in found.unlabeled] == [None, 1]
    assert found.test == (Entry("../images/e.png", root / "images/e.png", 1, "cyst", "p2", root / "masks/e.png"),)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_spreadsheets_write(root: Path, separator: str, encoding: str) -> None:
    rows = [
        ["path", "split", "label", "patient"],
        ["images/a.png", "normal", "", "Jörg"],
        ["images/e.png", "test", "1", '"a,;b"'],
    ]
    (root / "manifest.csv").write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    found = Repartition.read(root)
    assert [(entry.id, entry.patient) for entry in found.normal] == [("images/a.png", "Jörg")]
    assert [(entry.id, entry.label, entry.patient) for entry in found.test] == [("images/e.png", 1, "a,;b")]


def test_csv_with_spaces(root: Path) -> None:
    write_csv(root, "path, split , label", "images/a.png, normal,", "images/e.png,test , 1")
    found = Repartition.read(root)
    assert ids(found.normal) == ["images/a.png"]
    assert [(entry.id, entry.label) for entry in found.test] == [("images/e.png", 1)]


def test_absolute_paths_become_ids_relative_to_the_root(root: Path) -> None:
    (root / "other").mkdir()
    write_csv(root / "other", "path,split", f"{root}/other/../images/a.png,normal")
    assert Repartition.read(root / "other").normal == (Entry("../images/a.png", root / "images/a.png", 0),)


def test_names_spelt_otherwise_on_the_drive_are_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(root, "images/ä.png")
    write_csv(root, "path,split", "images/ä.png,normal")
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: [unicodedata.normalize("NFD", name) for name in listdir(path)])
    assert ids(Repartition.read(root).normal) == ["images/ä.png"]


def test_one_file_in_two_splits_through_a_link(tmp_path: Path) -> None:
    touch(tmp_path, "normal/a.png", "test/normal/b.png")
    (tmp_path / "test/abnormal").symlink_to(tmp_path / "normal")
    assert "normal/a.png is listed in normal and in test: list it once" in message(tmp_path)


def test_mvtec_folders(tmp_path: Path) -> None:
    touch(tmp_path, "license.txt", "train/good/1.jpg", "train/good/0.jpg", "test/good/0.jpg", "test/.junk/0.jpg")
    touch(tmp_path, "test/thread/0.jpg", "test/scratch/0.jpg", "ground_truth/scratch/0_mask.png")
    found = Repartition.read(tmp_path)
    assert ids(found.normal) == ["train/good/0.jpg", "train/good/1.jpg"]
    assert found.unlabeled == ()
    assert [(entry.id, entry.label, entry.kind) for entry in found.test] == [
        ("test/good/0.jpg", 0, "good"),
        ("test/scratch/0.jpg", 1, "scratch"),
        ("test/thread/0.jpg", 1, "thread"),
    ]
    assert [entry.mask for entry in found.test] == [None, tmp_path / "ground_truth/scratch/0_mask.png", None]


def masks_of(found: Repartition, root: Path) -> dict[str, str]:
    return {entry.id: entry.mask.relative_to(root).as_posix() for entry in found.test if entry.mask}


@pytest.mark.parametrize(
    "mask",
    ["000_mask.png", "000.png", "000_mask.PNG", "000_MASK.tif", "000.bmp", "000_mask.jpg", "000_gt.gif"]
    + ["000_seg.png", "000_segmentation.png", "000_label.png", "000-mask.tiff", "000/000.png"],
)
def test_masks_are_found_by_many_names(tmp_path: Path, mask: str) -> None:
    touch(tmp_path, "train/good/0.png", "test/good/000.png", "test/cut/000.png", f"ground_truth/cut/{mask}")
    found = Repartition.read(tmp_path)
    assert masks_of(found, tmp_path) == {"test/cut/000.png": f"ground_truth/cut/{mask}"} and found.notes == ()


def test_masks_that_fit_no_image_and_images_without_a_mask_are_told(tmp_path: Path) -> None:
    touch(tmp_path, "train/good/0.png", "test/cut/000.png", "test/cut/001.png", "ground_truth/cut/readme.txt")
    touch(tmp_path, "ground_truth/cut/000.png", "ground_truth/cut/b_mask.png", "ground_truth/cut/a.png")
    first, second = Repartition.read(tmp_path).notes
    assert first.startswith("masks were found for 1 of 2 abnormal images, not for test/cut/001.png: name them 001_mask")
    assert second == "2 masks belong to no test image (first: ground_truth/cut/a.png)"
    (tmp_path / "ground_truth/cut/000.png").rename(tmp_path / "ground_truth/cut/c.png")
    found = Repartition.read(tmp_path)
    assert found.notes[0].startswith("masks were found for 0 of 2 abnormal images") and not masks_of(found, tmp_path)


def test_several_masks_of_an_image_are_told(tmp_path: Path) -> None:
    touch(tmp_path, "train/good/0.png", "test/cut/000.png", *(f"ground_truth/cut/000/00{i}.png" for i in range(2)))
    found = Repartition.read(tmp_path)
    assert not masks_of(found, tmp_path) and len(found.notes) == 2


def test_masks_beside_their_images(tmp_path: Path) -> None:
    touch(tmp_path, "train/good/0.png", "test/good/img/0.png", "test/good/label/0.png")
    touch(tmp_path, "test/Ungood/img/1.png", "test/Ungood/label/1.png")
    found = Repartition.read(tmp_path)
    assert [(entry.id, entry.label) for entry in found.test] == [
        ("test/Ungood/img/1.png", 1),
        ("test/good/img/0.png", 0),
    ]
    assert masks_of(found, tmp_path) == {
        "test/Ungood/img/1.png": "test/Ungood/label/1.png",
        "test/good/img/0.png": "test/good/label/0.png",
    }
    assert found.notes == ()


def test_folders_called_ok(tmp_path: Path) -> None:
    touch(tmp_path, "train/ok/0.bmp", "test/ok/1.bmp", "test/ko/2.bmp", "Ground_Truth/KO/2.png")
    found = Repartition.read(tmp_path)
    assert [(entry.id, entry.label) for entry in found.test] == [("test/ko/2.bmp", 1), ("test/ok/1.bmp", 0)]
    assert masks_of(found, tmp_path) == {"test/ko/2.bmp": "Ground_Truth/KO/2.png"} and len(found.normal) == 1


@pytest.mark.parametrize("home", ["normal", "train/good"])
def test_what_a_network_drive_keeps_is_passed_over(tmp_path: Path, home: str) -> None:
    touch(tmp_path, f"{home}/a.png", f"{home}/@eaDir/a.png/SYNOPHOTO_THUMB_M.png", "$RECYCLE.BIN/x/b.png")
    found = Repartition.read(tmp_path)
    assert ids(found.normal) == [f"{home}/a.png"]
    told = "2 files in folders that systems keep for themselves are passed over, such as $RECYCLE.BIN/x/b.png"
    assert found.notes == (told,)


def test_plain_folders(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "normal/b.png",
        "normal/a.png",
        "unlabeled/p1/x.png",
        "test/normal/c.png",
        "test/abnormal/c.png",
    )
    found = Repartition.read(tmp_path)
    assert [(entry.id, entry.label) for entry in found.normal] == [("normal/a.png", 0), ("normal/b.png", 0)]
    assert [(entry.id, entry.label) for entry in found.unlabeled] == [("unlabeled/p1/x.png", None)]
    assert [(entry.id, entry.label) for entry in found.test] == [
        ("test/normal/c.png", 0),
        ("test/abnormal/c.png", 1),
    ]


@pytest.mark.parametrize(
    ("names", "stray", "count"),
    [
        (["normal/a.png", "test/normal/b.png", "test/tumor/c.png", "test/tumor/d.png"], "test/tumor/c.png", 2),
        (["normal/a.png", "test/b.png"], "test/b.png", 1),
        (["normal/a.png", "test/list.txt"], "test/list.txt", 1),
        (["normal/a.png", "abnormal/b.JPG"], "abnormal/b.JPG", 1),
        (["train/good/a.png", "train/scratch/b.png"], "train/scratch/b.png", 1),
        (["train/good/a.png", "test/b.png"], "test/b.png", 1),
    ],
)
def test_files_that_belong_to_no_split(tmp_path: Path, names: list[str], stray: str, count: int) -> None:
    touch(tmp_path, "notes.txt", "sheets/list.xlsx", *names)
    text = message(tmp_path)
    assert f"{tmp_path / stray} and {count - 1} more" in text if count > 1 else f"{tmp_path / stray} " in text
    assert "test/abnormal/" in text if names[0].startswith("normal") else "test/TYPE/" in text


def test_only_normal_is_needed(tmp_path: Path) -> None:
    touch(tmp_path, "normal/a.png")
    found = Repartition.read(tmp_path)
    assert len(found.normal) == 1 and found.unlabeled == found.test == ()


def test_no_form_at_all(tmp_path: Path) -> None:
    text = message(tmp_path)
    assert all(form in text for form in ("data.json", "manifest.csv", "train/good", "normal/ unlabeled/"))
    assert "no such file or folder" in message(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"train": {"0": []}, "test": {"0": [], "1": []}}, "the list train/unlabeled/0 is missing"),
        (listed() | {"test": {"0": []}}, "the list test/1 is missing"),
        ([], "the list train/0 is missing"),
        (listed() | {"test": {"0": [7], "1": []}}, "test/0 is not a list of file names"),
        (listed("azy"), "2 of 7 files do not exist, the first is .*images/z.png"),
        (listed("aa"), "a.png is listed in normal and in normal"),
        (listed("b"), "b.png is listed in normal and in unlabeled"),
        (listed(test=("c", "c")), "c.png is listed in unlabeled and in test"),
    ],
)
def test_malformed_json(root: Path, document: object, text: str) -> None:
    file = write_json(root, document)
    with pytest.raises(UserError, match=f"{file}: .*{text}"):
        Repartition.read(root)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00"])
def test_no_json(root: Path, content: bytes) -> None:
    (root / "data.json").write_bytes(content)
    assert "not a JSON file" in message(root)


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (
            ["path|split"],
            "the first line must name the columns path and split, separated by commas, semicolons or tabs",
        ),
        ([], "the first line must name the columns path and split"),
        (["path,split", "images/a.png,train"], "line 2: unknown split 'train'"),
        (["path,split", "images/a.png"], "line 2: unknown split ''"),
        (["path,split", ",normal"], "line 2: no path"),
        (["path,split", "images/a.png,normal,0"], "line 2: .*more cells than columns"),
        (["path,split,label", "images/a.png,test,2"], "line 2: label '2' in split test"),
        (["path,split,label", "images/a.png,test,"], "line 2: label '' in split test"),
        (["path,split,label", "images/a.png,normal,1"], "line 2: label '1' in split normal"),
        (
            ["path,split", "images/a.png,normal", "images/../images/a.png,unlabeled"],
            "normal and in unlabeled",
        ),
        (["path,split,mask", "images/a.png,normal,masks/z.png"], "the first is .*masks/z.png"),
        (["path,split", "nowhere/a.png,normal"], "the first is .*nowhere/a.png"),
    ],
)
def test_malformed_csv(root: Path, rows: list[str], text: str) -> None:
    file = write_csv(root, *rows)
    with pytest.raises(UserError, match=f"{file}.*{text}"):
        Repartition.read(root)


def test_csv_in_another_encoding(root: Path) -> None:
    (root / "manifest.csv").write_bytes("path,split\nimages/ä.png,normal\n".encode("latin-1"))
    assert "not a UTF-8 CSV file" in message(root)


names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\"), min_size=1, max_size=12)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@st.composite
def repartitions(draw: st.DrawFn, root: Path, labelled: bool) -> Repartition:
    """Draw a repartition of files in ``images/``, and make the files."""
    splits: dict[str, list[Entry]] = {"normal": [], "unlabeled": [], "test": []}
    pool_labels = [0, 1] if labelled else [0, 1, None]
    for name in draw(st.lists(names, unique=True, max_size=8)):
        split = draw(st.sampled_from(list(splits)))
        label = 0 if split == "normal" else draw(st.sampled_from(pool_labels if split == "unlabeled" else [0, 1]))
        extra = {} if labelled else {"kind": draw(texts), "patient": draw(texts)}
        if not labelled and draw(st.booleans()):
            extra["mask"] = root / "masks" / f"{name}.png"
            touch(root, f"masks/{name}.png")
        touch(root, f"images/{name}.png")
        splits[split].append(Entry(f"images/{name}.png", root / "images" / f"{name}.png", label, **extra))
    return Repartition(*(tuple(entries) for entries in splits.values()))


@given(st.data())
def test_csv_round_trip(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole = data.draw(repartitions(Path(folder), labelled=False))
        whole.write(Path(folder) / "manifest.csv")
        assert Repartition.read(Path(folder)) == whole
        with tempfile.TemporaryDirectory() as elsewhere:
            whole.write(Path(elsewhere) / "split.csv", Path(folder))
            assert Repartition.read(Path(folder), Path(elsewhere) / "split.csv") == whole


@given(st.data())
def test_json_round_trip(data: st.DataObject) -> None:
    by_label = lambda entries: tuple(sorted(entries, key=lambda entry: entry.label))  # noqa: E731
    with tempfile.TemporaryDirectory() as folder:
        whole = data.draw(repartitions(Path(folder), labelled=True))
        whole.write(Path(folder) / "data.json")
        expected = Repartition(whole.normal, by_label(whole.unlabeled), by_label(whole.test))
        assert Repartition.read(Path(folder)) == expected


def test_json_cannot_hold_everything(tmp_path: Path) -> None:
    touch(tmp_path, "normal/a.png", "unlabeled/b.png")
    with pytest.raises(UserError, match="write a .csv file"):
        Repartition.read(tmp_path).write(tmp_path / "data.json")
    assert not (tmp_path / "data.json").exists()


def test_written_csv_has_the_documented_columns(tmp_path: Path) -> None:
    touch(tmp_path, "normal/a.png", "unlabeled/b.png")
    Repartition.read(tmp_path).write(tmp_path / "manifest.csv")
    with open(tmp_path / "manifest.csv", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["path", "split", "label", "kind", "patient", "mask"]
    assert rows[1:] == [
        ["normal/a.png", "normal", "0", "", "", ""],
        ["unlabeled/b.png", "unlabeled", "", "", "", ""],
    ]


@pytest.mark.parametrize("layout", ["normal", "train/good"])
def test_files_without_images_are_set_aside_and_said(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / layout
    folder.mkdir(parents=True)
    Image.new("L", (4, 4), 9).save(folder / "a.png")
    (folder / "report").write_text("findings: none")
    who = Repartition.read(tmp_path)
    assert [entry.path.name for entry in who.normal] == ["a.png"]
    assert f"1 files without images (text, reports, indexes) are set aside, such as {layout}/report" in who.notes
