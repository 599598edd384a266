"""Pictures by name: read once, from the first folder that has them, and never from outside."""

from pathlib import Path

import pytest

from pixread.tasks.pictures import Pictures
from pixread.tasks.task import UnusableError
from tests.tasks.written import write


def reason(pictures: Pictures, name: str) -> str:
    with pytest.raises(UnusableError) as caught:
        pictures.read(name)
    return caught.value.reason


def test_the_first_folder_and_the_first_name_win(tmp_path: Path):
    write(tmp_path / "a" / "x.png", b"ax")
    write(tmp_path / "b" / "x.png", b"bx")
    write(tmp_path / "b" / "y.gif", b"by")
    pictures = Pictures(tmp_path / "a", tmp_path / "b")
    assert pictures.read("x.png") == b"ax"
    assert pictures.read("y.jpg", "y.gif") == b"by"


def test_a_picture_is_read_once_for_questions_that_follow_each_other(tmp_path: Path):
    write(tmp_path / "x.png", b"first")
    pictures = Pictures(tmp_path)
    assert pictures.read("x.png") == b"first"
    write(tmp_path / "x.png", b"second")
    assert pictures.read("x.png") == b"first"
    for number in range(20):  # so many others that it is read anew, as memory must not grow with the data set
        write(tmp_path / f"{number}.png", b"other")
        pictures.read(f"{number}.png")
    assert pictures.read("x.png") == b"second"


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/etc/hostname", "a/..", "x\0.png"])
def test_a_name_that_leads_outside_is_not_followed(tmp_path: Path, name: str):
    write(tmp_path / "x.png", b"secret")
    write(tmp_path / "in" / "a" / "y.png", b"y")
    assert reason(Pictures(tmp_path / "in"), name) == "image outside the folder"


def test_a_link_to_other_disks_is_followed(tmp_path: Path):
    write(tmp_path / "disk" / "x.png", b"x")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "images").symlink_to(tmp_path / "disk")
    assert Pictures(tmp_path / "data").read("images/x.png") == b"x"


def test_what_is_no_readable_file_is_said(tmp_path: Path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    pictures = Pictures(tmp_path)
    assert reason(pictures, "folder.png") == "no such image"
    assert reason(pictures, "loop.png") == "no such image"
    assert reason(pictures, "") == "no such image"
    assert reason(pictures, "x" * 5000) in {"no such image", "unreadable image"}  # versions of Python differ
