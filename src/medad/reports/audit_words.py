"""What an audit found, in sentences for the people who look after the data."""

from collections.abc import Iterator, Mapping
from typing import Any

from medad.data.audit.patients import told

QUESTIONS = {
    "classes": "normal and abnormal test images",
    "classes_deduplicated": "normal and abnormal test images (repeats left out)",
    "pool": "normal and unlabeled training images",
    "normals": "training normals and test normals",
}
FEATURES = {
    "dimensions": "height and width",
    "border": "flat borders",
    "histogram": "histogram",
    "mean_intensity": "mean intensity",
    "mean_gradient": "mean gradient (roughness)",
    "file_size": "file size",
    "thumbnail": "8 x 8 thumbnail",
    "intensity": "what the intensity rule did",
    "format": "file format",
    "manufacturer": "manufacturer",
    "view": "view",
}
FAULTS = {
    "empty": "empty files",
    "truncated": "truncated files",
    "unreadable": "files that cannot be read",
    "constant": "images of one grey value throughout",
    "faint": "images with next to nothing in them",
    "tiny": "images with a side below 32 pixels",
}
SHARED = (("", "Patients"), ("study_", "Studies"), ("series_", "Series"), ("file_", "Files of several frames"))
CLEAR = 0.6  # lower end of an AUROC: the best of ten properties is above 0.5 by chance now and then
SMALL_V, SMALL_P = 0.1, 0.001


def findings(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say what was found, what matters first.

    Parameters
    ----------
    record : mapping
        What ``audit.json`` holds, but for these sentences.

    Returns
    -------
    list of dict
        ``matters``: whether somebody should act on it; ``text``: the sentence.
    """
    parts = (_files, _copies, _near, _patients, _suggestion, _shortcuts, _groups)
    found = [{"matters": matters, "text": text} for part in parts for matters, text in part(record)]
    return sorted(found, key=lambda one: not one["matters"])


Said = Iterator[tuple[bool, str]]


def _files(record: Mapping[str, Any]) -> Said:
    files, total = record["files"], sum(record["images"].values())
    wrong = {kind: files[kind] for kind in FAULTS if files[kind]["count"]}
    for kind, one in wrong.items():
        yield True, f"{one['count']} of {total}: {FAULTS[kind]} (first: {one['images'][0]})."
    if not wrong:
        yield False, f"All {total} images can be read, and there is something in each."


def _copies(record: Mapping[str, Any]) -> Said:
    same = record["same_bytes"]
    if same["in_two_splits"]:
        first = " and ".join(same["named"][0][:2])
        yield True, f"Files that stand in two splits, byte for byte: {same['in_two_splits']} (first: {first})."
    if rest := same["groups"] - same["in_two_splits"]:
        yield True, f"Files that are there more than once within a split, byte for byte: {rest}."
    if not same["groups"]:
        yield False, "No file is there twice, byte for byte."


def _near(record: Mapping[str, Any]) -> Said:
    near, images = record["near"], record["images"]
    for name, count in near["test_in_training"].items():
        if count:
            normals = near["test_in_normals"][name]
            yield (
                True,
                f"{count} of {images[name]} {_plural(name)} have a near-duplicate among the training images ({normals} "
                "among their normals): a model may know them by heart, and figures on them flatter.",
            )
    if any(near["test_in_training"].values()):
        yield True, "medad audit --write-deduplicated FILE writes the lists without such test images."
    within = {name: row[name] for name, row in near["beside"].items() if row[name]}
    if within:
        lists = ", ".join(f"{count} of {images[name]} {_plural(name)}" for name, count in within.items())
        yield False, f"Images with a near-duplicate in their own list: {lists}. Intervals take them for independent."
    across = near["beside"].get("normal", {}).get("unlabeled abnormal", 0)
    if across:
        yield True, f"{across} normal images have a near-duplicate among the abnormal unlabeled ones: check the labels."
    mixed = near["beside"].get("test normal", {}).get("test abnormal", 0)
    if mixed:
        yield True, f"{mixed} normal test images have a near-duplicate among the abnormal ones: check the labels."
    if not near["pairs"]:
        yield False, "There are no near-duplicates."


def _patients(record: Mapping[str, Any]) -> Said:
    patients = record["patients"]
    for kind, words in SHARED:
        for one in patients[f"{kind}in_two_splits"]:
            text = f"{told(words, one)} ({one['images']['count']} images)."
            yield True, text if "test" not in one["splits"] else f"{text} Figures on the test images flatter."
    for kind, words in (("laterality", "two sides, such as both eyes,"), ("view", "several views")):
        if count := patients[f"{kind}_parted"]:
            yield True, f"Patients with {words} in different splits: {count}."
    if not patients["known"]:
        yield False, "No patient is named by the list or the files; intervals take images for independent."
    elif not patients["in_two_splits"]:
        yield False, f"{patients['patients']} patients are known; none stands in two splits."


def _suggestion(record: Mapping[str, Any]) -> Said:
    suggested = record["patients"].get("suggested")
    if not suggested:
        return
    shared = "; ".join(told("such groups", one) for one in suggested["in_two_splits"])
    yield (
        bool(shared),
        f"A suggestion, not a fact: names of images suggest patients, {suggested['groups']} groups of them; "
        f"{shared or 'none stands in two splits'}. If that is so, say it with --patient-pattern.",
    )


def _shortcuts(record: Mapping[str, Any]) -> Said:
    for comparison, tested in record["shortcuts"].items():
        single = {name: figures for name, figures in tested["features"].items() if name != "all of them"}
        if not single:
            continue
        name, (value, low, high) = max(single.items(), key=lambda one: one[1][1])
        figure = f"AUROC {100 * value:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
        if low <= 0.5:
            yield (
                False,
                f"Nothing that sees no pathology tells {QUESTIONS[comparison]} apart ({_name(name)}: {figure}).",
            )
        else:
            text = f"Without seeing any pathology, {_name(name)} alone tells {QUESTIONS[comparison]} apart: {figure}."
            yield low >= CLEAR, f"{text} {_meaning(comparison)}"


def _meaning(comparison: str) -> str:
    return {
        "classes": "Figures on this set must be read against that.",
        "classes_deduplicated": "Figures on this set must be read against that.",
        "pool": "Methods that learn from unlabeled images may learn the difference in origin.",
        "normals": "Thresholds and false-alarm rates promised on training normals may not hold on test normals.",
    }[comparison]


def _groups(record: Mapping[str, Any]) -> Said:
    for factor, group in record["groups"].items():
        for comparison, spread in group["comparisons"].items():
            if spread["v"] >= SMALL_V and spread["p"] < SMALL_P:
                yield (
                    True,
                    f"{factor[0].upper()}{factor[1:]} is spread differently over {QUESTIONS[comparison]}: "
                    f"Cramér's V {spread['v']:.2f}, p {p_words(spread['p'])}.",
                )
    if not record["groups"]:
        yield False, "All images are of one size, format and depth, and none differs by border or burned-in letters."


def p_words(p: float) -> str:
    """Return a p-value; none is zero."""
    return "< 0.0001" if p < 1e-4 else f"= {p:.2g}"


def _name(feature: str) -> str:
    return FEATURES.get(feature, feature)


def _plural(name: str) -> str:
    return f"{name.removeprefix('test ')} test images" if name.startswith("test") else f"{name} images"
