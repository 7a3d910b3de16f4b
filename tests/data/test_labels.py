"""Guards labels of real pictures: from tables, from folders, from CelebA; and that what does not fit is named."""

import math
from pathlib import Path

import pandas
import pytest
import torch
from PIL import Image

from companion.data import load
from companion.data.assets import cache_folder
from companion.data.images import Images
from companion.data.labels import match, read_celeba, read_table, table_of_folders
from companion.errors import CompanionError


def pictures(*files: str) -> Images:
    """Picture n is filled with n."""
    pixels = torch.arange(len(files), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
    return Images("album", pixels, files=files)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def real(name: str) -> Path:
    """A folder of real pictures, where the cache holds it."""
    folder = cache_folder() / name
    if not folder.is_dir():
        pytest.skip(f"{name} is not in the cache")
    return folder


# tables


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_numbers_truths_words_and_gaps_become_numbers(tmp_path, separator, mark):
    lines = [
        "file,age,smiling,species,old",
        "a.png,3.5,true,dog,1",
        "b.png,,False,cat,0",
        'c.png,-1,1,"",1',
        "",
    ]
    path = write(tmp_path / "t.csv", mark + "\n".join(lines).replace(",", separator))
    labels = read_table(path)
    assert labels.columns.tolist() == ["age", "smiling", "species", "old"]
    assert labels.index.tolist() == ["a.png", "b.png", "c.png"]
    assert labels["smiling"].tolist() == [1, 0, 1]
    assert labels["age"].dropna().tolist() == [3.5, -1]
    assert labels["species"].dropna().tolist() == ["dog", "cat"]
    assert labels["age"].isna().tolist() == [False, True, False]
    assert labels["species"].isna().tolist() == [False, False, True]


def test_any_column_may_name_the_file_and_cells_may_hold_anything(tmp_path):
    path = write(tmp_path / "t.csv", 'note,picture\n"one, two\nthree",x/é.png\n')
    labels = read_table(path, file_column="picture")
    assert labels.index.tolist() == ["x/é.png"]
    assert labels["note"].tolist() == ["one, two\nthree"]
    with pytest.raises(CompanionError, match=r"column in t\.csv called “pictur”; did you mean picture"):
        read_table(path, file_column="pictur")
    with pytest.raises(CompanionError, match="label called “nota”; did you mean note"):
        match(pictures("x/é.png"), labels)["nota"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,a\n", "has no rows"),
        ("", "has no rows"),
        ("file,a\nx.png,1,2\n", "Line 2 .* has 3 cells, its head has 2"),
        ("file,a,b\nx.png,1,\ny.png,1\n", "Line 3 .* has 2 cells, its head has 3"),
        ("file,a,a\nx.png,1,2\n", "two columns called “a”"),
        ("file,a\nx.png,1\nx.png,2\n", r"two rows for x\.png"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_in_words(tmp_path, text, said):
    with pytest.raises(CompanionError, match=said):
        read_table(write(tmp_path / "t.csv", text))


def test_a_table_that_is_none_is_refused_in_words(tmp_path):
    with pytest.raises(CompanionError, match="no table"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("file,a\né.png,1\n".encode("latin-1"))
    with pytest.raises(CompanionError, match="save it as CSV in UTF-8"):
        read_table(tmp_path / "latin.csv")


# bringing together


def table(*files: str) -> pandas.DataFrame:
    return pandas.DataFrame({"number": [float(n) for n in range(len(files))]}, index=list(files))


def test_rows_are_matched_by_path_or_by_unique_name_in_the_pictures_order():
    found = match(pictures("a/1.png", "a/2.png", "b/2.png"), table("b/2.png", "1.png", "2.png", "9.png"))
    assert found.images.files == ("a/1.png", "b/2.png")
    assert found.images.pixels[:, 0, 0, 0].tolist() == [0, 2]
    assert found["number"].tolist() == [1, 0]
    assert found.undescribed == ("a/2.png",)  # “2.png” could be either
    assert found.missing == ("2.png", "9.png")
    assert str(found) == (
        "2 pictures with 1 labels; 1 without a row in the table (a/2.png); "
        "2 in the table, but not there or not readable (2.png, 9.png)"
    )


def test_a_table_of_other_pictures_is_refused():
    with pytest.raises(CompanionError, match=r"None of the 1 rows .* pictures in album .*names z\.png"):
        match(pictures("a.png"), table("z.png"))


def test_pictures_can_be_chosen_and_classed_by_a_label():
    found = match(pictures("a.png", "b.png", "c.png"), table("c.png", "a.png", "b.png"))
    assert found.classed("number").labels.tolist() == [1, 2, 0]
    late = found.chosen(found["number"] > 0)
    assert list(late.images.files) == late.table.index.tolist() == ["a.png", "b.png"]
    assert late.images.pixels[:, 0, 0, 0].tolist() == [0, 1]
    assert late.classed("number").labels.dtype == torch.int64
    for bad in (0.5, math.nan):
        found.table.iloc[1] = bad
        with pytest.raises(CompanionError, match="gaps or fractions"):
            found.classed("number")


def test_subfolders_are_classes():
    files = ["b/1.png", "a/x/2.png", "top.png", "b/3.png"]
    labels = table_of_folders(files)
    assert labels.index.tolist() == ["b/1.png", "a/x/2.png", "b/3.png"]
    assert labels["class"].tolist() == ["b", "a/x", "b"]
    assert match(pictures(*files), labels).classed("class").labels.tolist() == [1, 0, 1]
    with pytest.raises(CompanionError, match="No picture lies in a subfolder"):
        table_of_folders(["a.png"])


# CelebA


def celeba(folder: Path, tables: str = "") -> Path:
    for number in (1, 2, 4):
        path = folder / "img_align_celeba" / f"{number:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (178, 218), (60 * number,) * 3).save(path)
    names = [f"{number:06d}.jpg" for number in (1, 2, 3, 4)]
    below = folder / tables

    def lines(rows: list[str], *head: str) -> str:
        return "\n".join([*head, *(f"{name}  {row}" for name, row in zip(names, rows, strict=True))]) + "\n"

    attributes = lines(["-1  1 -1", "1 -1 -1", "1 1 1", "-1 -1  1"], "4", "Eyeglasses Smiling Young ")
    write(below / "list_attr_celeba.txt", attributes)
    write(below / "identity_CelebA.txt", lines(["2880", "2937", "8692", "2880"]))
    write(below / "list_eval_partition.txt", lines(["0", "0", "1", "2"]))
    points = lines(["69 109"] * 4, "4", "lefteye_x lefteye_y")
    write(below / "list_landmarks_align_celeba.txt", points)
    return folder


@pytest.mark.parametrize("tables", ["", "Anno"])
def test_celeba_is_read_as_published(tmp_path, tables):
    found = read_celeba(celeba(tmp_path, tables), size=16)
    assert found.images.pixels.shape == (3, 3, 16, 16)
    assert found.images.files == ("000001.jpg", "000002.jpg", "000004.jpg")
    assert found.missing == ("000003.jpg",)
    assert found.table.columns.tolist() == [
        "Eyeglasses", "Smiling", "Young", "identity", "partition", "lefteye_x", "lefteye_y",
    ]  # fmt: skip
    assert found["Smiling"].tolist() == [1, 0, 0]
    assert found["Young"].tolist() == [0, 0, 1]
    assert found["identity"].tolist() == [2880, 2937, 2880]
    assert found["lefteye_y"].tolist() == [109] * 3
    test = found.chosen(found["partition"] == 2)
    assert test.images.files == ("000004.jpg",)


def test_celeba_without_its_optional_tables_and_in_part(tmp_path):
    celeba(tmp_path)
    for name in ("identity_CelebA.txt", "list_eval_partition.txt", "list_landmarks_align_celeba.txt"):
        (tmp_path / name).unlink()
    found = read_celeba(tmp_path, size=16, limit=2)
    assert found.table.columns.tolist() == ["Eyeglasses", "Smiling", "Young"]
    assert (len(found.images), found.missing) == (2, ())


@pytest.mark.parametrize("name", ["img_align_celeba", "list_attr_celeba.txt"])
def test_celeba_without_what_it_needs_says_so(tmp_path, name):
    celeba(tmp_path)
    (tmp_path / name).rename(tmp_path / "elsewhere")
    with pytest.raises(CompanionError, match=f"There is no {name} in"):
        read_celeba(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2\nA B\n000001.jpg 1 -1\n",
        "1\nA B\n000001.jpg 1\n",
        "000001.jpg 1 1\n",
        "1\nA\n000001.jpg yes\n",
    ],
)
def test_a_damaged_celeba_table_is_refused(tmp_path, text):
    write(celeba(tmp_path) / "list_attr_celeba.txt", text)
    with pytest.raises(
        CompanionError, match=r"list_attr_celeba\.txt is not as CelebA's authors published it"
    ):
        read_celeba(tmp_path)


# real photographs and drawings


def test_real_photographs_with_their_table():
    """Pets: every photograph has its row; cats and dogs, as the table says."""
    folder = real("pets")
    images = load(folder, size=32)
    assert set(images.skipped) == {"ATTRIBUTION-from-source-repo.md", "labels.csv"}
    found = match(images, read_table(folder / "labels.csv", file_column="file"))
    assert found.undescribed == found.missing == ()
    assert set(found["species"]) == {"cat", "dog"}
    assert found.classed("breed").labels.unique().tolist() == list(range(37))
    for file, breed in zip(found.images.files, found["breed"], strict=True):
        assert breed.lower() in file.lower()
    cats = found.chosen(found["species"] == "cat")
    assert all(
        file.removeprefix("images/")[0].isupper() for file in cats.images.files
    )  # as Oxford names cats


def test_real_people_by_the_folders_they_lie_in():
    """ORL: forty people, ten grey PGM pictures of each."""
    images = load(real("orl-att"), size=24)
    found = match(images, table_of_folders(images.files))
    people = found.classed("class").labels
    assert torch.equal(people.bincount(), torch.full((40,), 10))
    assert torch.equal(images.pixels[:, 0], images.pixels[:, 2])
    assert images.skipped == ("README",)


def test_real_drawings_with_transparency_lie_on_white():
    images = load(real("drawn-faces/noto-emoji-people-128"), size=32)
    assert len(images) > 600
    assert images.skipped == ("LICENSE",)
    assert (images.pixels[:, :, 0, 0] == 255).all(1).float().mean() > 0.95


def test_real_paintings_are_read_and_their_landmark_files_named():
    images = load(real("drawn-faces/painted-faces-public-domain"), size=32)
    assert len(images) == 60
    assert {Path(file).suffix for file in images.skipped} == {".ljson"}
