"""mkimage: makes a volume, refuses what is wrong, judges damage, and replaces a
directory without touching a minidisk."""
import os
import re
import subprocess

import pytest

from harness import ROOT

MKIMAGE = os.path.join(ROOT, "build", "mkimage")
CMSDISK = os.path.join(ROOT, "build", "cmsdisk")
SOURCE = os.path.join(ROOT, "images", "directory.dts")
BLOCK = 4096
SLOT_A, SLOT_B = 1 * BLOCK, 17 * BLOCK


def mkimage(*arguments, code=0):
    done = subprocess.run([MKIMAGE, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def compile_directory(path, *changes):
    source = open(SOURCE).read()
    for old, new in changes:
        assert old in source
        source = source.replace(old, new, 1)
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path], input=source.encode(), check=True)
    return path


def extent_of(user):
    """First block and blocks of a user's 191 in the sample directory."""
    found = re.search(user + r" \{.*?mdisk@191 \{ extent = <(\d+) (\d+)>", open(SOURCE).read(), re.S)
    return int(found[1]), int(found[2])


@pytest.fixture
def directory(tmp_path):
    return compile_directory(tmp_path / "directory.dtb")


@pytest.fixture
def image(tmp_path, directory):
    path = tmp_path / "image"
    (tmp_path / "hello").write_text("hello\nworld\n")
    mkimage(path, "--directory", directory, "--file", f"ALICE:191:{tmp_path}/hello:HELLO.TEXT")
    return path


def alice(image, *arguments):
    start, blocks = extent_of("ALICE")
    place = ["--offset", str(start * BLOCK), "--size", str(blocks * BLOCK)]
    return subprocess.run([CMSDISK, arguments[0], image, *place, *arguments[1:]], capture_output=True, text=True).stdout


def flip(image, offset):
    with open(image, "r+b") as f:
        f.seek(offset)
        byte = f.read(1)[0]
        f.seek(offset)
        f.write(bytes([byte ^ 0x40]))


def test_a_new_volume_is_clean_and_holds_the_file(image):
    said = mkimage("--check", image)
    assert "directory 1 in slot A, 4 users" in said
    assert said.count(": clean: ") == 6
    assert alice(image, "get", "HELLO", "TEXT") == "hello\nworld\n"


def test_an_image_that_exists_is_never_overwritten(image, directory):
    before = image.read_bytes()
    assert "File exists" in mkimage(image, "--directory", directory, code=2)
    assert image.read_bytes() == before


def test_a_faulty_directory_is_told_by_path_and_makes_nothing(tmp_path, image):
    bad = compile_directory(tmp_path / "bad.dtb", ('classes = "G"', 'classes = "Z"'),
                            ("storage = <32>", "storage = <0>"))
    for arguments in ([tmp_path / "other"], ["--replace-directory", image]):
        said = mkimage(*arguments, "--directory", bad, code=2)
        assert "/users/ALICE/classes" in said and "/users/OPERATOR/storage" in said
    assert not (tmp_path / "other").exists()
    assert "directory 1 in slot A" in mkimage("--check", image)


def test_a_volume_too_small_for_its_minidisks_is_refused(tmp_path, directory):
    assert "ends beyond the volume" in mkimage(tmp_path / "small", "--directory", directory, "--size", 8, code=2)


def test_a_new_directory_goes_into_the_other_slot_and_the_files_stay(tmp_path, image):
    second = compile_directory(tmp_path / "second.dtb", ("BOB {", "EVE {"))
    mkimage("--replace-directory", image, "--directory", second)
    said = mkimage("--check", image)
    assert "directory 2 in slot B" in said and "EVE" in said
    assert alice(image, "get", "HELLO", "TEXT") == "hello\nworld\n"
    mkimage("--replace-directory", image, "--directory", second)
    assert "directory 3 in slot A" in mkimage("--check", image)


def test_damage_is_seen_and_the_older_directory_serves(tmp_path, image, directory):
    mkimage("--replace-directory", image, "--directory", directory)
    flip(image, SLOT_B + 200)
    said = mkimage("--check", image, code=1)
    assert "slot B: its contents are damaged" in said and "directory 1 in slot A" in said
    flip(image, SLOT_A + 200)
    assert "no good directory" in mkimage("--check", image, code=1)
    mkimage("--replace-directory", image, "--directory", directory)
    assert "directory 1 in slot A" in mkimage("--check", image, code=1)
    flip(image, 3)
    assert "no CP volume label" in mkimage("--check", image, code=1)


def test_a_truncated_image_is_told(image):
    os.truncate(image, os.path.getsize(image) - BLOCK)
    assert "the image is truncated" in mkimage("--check", image, code=1)


def test_a_folder_of_files_is_put_on_a_minidisk(tmp_path, directory):
    (tmp_path / "folder").mkdir()
    for name in ("ONE", "TWO"):
        (tmp_path / "folder" / f"{name}.TEXT").write_text(name + "\n")
    mkimage(tmp_path / "image", "--directory", directory, "--files", f"ALICE:191:{tmp_path}/folder")
    assert re.findall(r"(\w+) +TEXT +2", alice(tmp_path / "image", "list")) == ["ONE", "TWO"]
    assert alice(tmp_path / "image", "get", "TWO", "TEXT") == "TWO\n"


def test_what_is_asked_wrongly_is_answered_in_one_line(tmp_path, directory):
    for arguments in ([], ["x"], ["x", "--directory", "/nonexistent"], ["x", "--directory", directory, "--size", "0"],
                      ["x", "--directory", directory, "--raw", "NOBODY:191"],
                      ["x", "--directory", directory, "--file", "A:1"],
                      ["x", "--directory", directory, "--files", "ALICE:191"], ["--check", tmp_path / "none"]):
        assert len(mkimage(*arguments, code=2).splitlines()) == 1
