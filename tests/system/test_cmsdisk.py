"""cmsdisk as a person uses it: images made, filled, read back, broken and judged."""
import os
import re
import shutil
import subprocess

import foreign
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOL = os.path.join(ROOT, "build", "cmsdisk")


def cmsdisk(*arguments, status=0, data=None, zone="UTC"):
    done = subprocess.run([TOOL, *map(str, arguments)], input=data, capture_output=True, timeout=60,
                          env={**os.environ, "SOURCE_DATE_EPOCH": "1795269931", "TZ": zone})
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return (done.stdout if status != 2 else done.stderr).decode()


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk.img"
    cmsdisk("format", path, "--size", "1M", "-b", "1024", "TST191")
    return path


def test_an_image_is_made_filled_and_read_back(image, tmp_path):
    text = "".join(f"line {n}\n" for n in range(2000)) + "\n  indented\n"
    (tmp_path / "text").write_text(text)
    cmsdisk("put", image, tmp_path / "text", "SOME", "TEXT")
    cmsdisk("put", image, tmp_path / "text", "FIXED", "TEXT", "--recfm", "F", "--lrecl", "20", "--mode", "2")
    assert cmsdisk("get", image, "SOME", "TEXT") == text
    assert cmsdisk("get", image, "FIXED", "TEXT") == text
    assert cmsdisk("list", image) == (
        "SOME     TEXT     1  V     10       2002         21  2026-11-21 14:05:31\n"
        "FIXED    TEXT     2  F     20       2002         40  2026-11-21 14:05:31\n")
    assert cmsdisk("check", image) == f"{image}: clean: 2 files, 69 of 1024 blocks of 1024 used\n"
    cmsdisk("rename", image, "SOME", "TEXT", "OTHER", "TEXT")
    cmsdisk("erase", image, "FIXED", "TEXT")
    assert cmsdisk("list", image, "*", "T%XT").startswith("OTHER    TEXT")
    cmsdisk("check", image)


def test_the_files_of_a_folder_are_put_by_their_names(image, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(100):
        (folder / f"F{number}.TEXT").write_text(f"the {number}th\n\n")
    cmsdisk("put", image, folder)
    assert len(cmsdisk("list", image).splitlines()) == 100
    assert cmsdisk("get", image, "F99", "TEXT") == "the 99th\n\n"
    (folder / "nodot").write_text("x\n")
    assert "nodot: is not named FN.FT" in cmsdisk("put", image, folder, status=2)
    assert "FOLDER after the image" in cmsdisk("put", image, folder / "F1.TEXT", "F1", status=2)
    cmsdisk("check", image)


def test_bytes_come_back_as_they_were(image, tmp_path):
    blob = bytes(range(256)) * 700
    (tmp_path / "blob").write_bytes(blob)
    cmsdisk("put", image, tmp_path / "blob", "SOME", "MODULE", "--binary")
    cmsdisk("get", image, "SOME", "MODULE", tmp_path / "back", "--binary")
    assert (tmp_path / "back").read_bytes() == blob


def test_a_minidisk_within_an_image_is_addressed_by_offset_and_size(tmp_path):
    image = tmp_path / "volume.img"
    image.write_bytes(b"\xee" * 4_000_000)
    place = ["--offset", "1M", "--size", "512K"]
    cmsdisk("format", image, *place, "INNER")
    cmsdisk("put", image, "-", "A", "FILE", *place, data=b"hello\n")
    assert cmsdisk("get", image, "A", "FILE", *place) == "hello\n"
    content = image.read_bytes()
    assert content[:1 << 20] == b"\xee" * (1 << 20)
    assert content[(1 << 20) + (512 << 10):] == b"\xee" * (4_000_000 - (1 << 20) - (512 << 10))
    assert "no CMS1 label" in cmsdisk("list", image, status=2)


def test_text_can_be_ebcdic_as_on_an_ibm_system(image):
    cmsdisk("put", image, "-", "A", "FILE", "--ebcdic", data=b"Hello\n")
    assert subprocess.check_output([TOOL, "get", image, "A", "FILE", "--binary"]) == b"\xc8\x85\x93\x93\x96"
    assert cmsdisk("get", image, "A", "FILE", "--ebcdic") == "Hello\n"


def test_what_is_wrong_is_said(image, tmp_path):
    assert cmsdisk("get", image, "NO", "FILE", status=1) == ""
    assert "invalid file name or type" in cmsdisk("put", image, "-", "A.B", "FILE", data=b"x\n", status=2)
    assert "line 2 is longer than 4 bytes" in cmsdisk("put", image, "-", "A", "B", "--recfm", "F", "--lrecl", "4",
                                                      data=b"abc\nabcde\n", status=2)
    assert "unknown command" in cmsdisk("melt", image, status=2)
    assert "2 to 3 operands" in cmsdisk("get", image, status=2)
    assert "too few" in cmsdisk("format", tmp_path / "tiny", "--size", "2K", "X", status=2)
    assert "not a valid label" in cmsdisk("format", tmp_path / "x", "--size", "1M", "TOOLONGX", status=2)
    cmsdisk("check", image)


def test_a_file_without_records_is_put_and_got(image):
    cmsdisk("put", image, "-", "VOID", "FILE", data=b"")
    cmsdisk("put", image, "-", "VOID", "FIXED", "--recfm", "F", data=b"")
    assert re.fullmatch(r"VOID +FILE +1 +V +0 +0 +0 .*\nVOID +FIXED +1 +F +80 +0 +0 .*\n", cmsdisk("list", image))
    assert cmsdisk("get", image, "VOID", "FILE") == cmsdisk("get", image, "VOID", "FIXED") == ""
    cmsdisk("check", image)


def test_the_time_of_source_date_epoch_is_utc_whatever_the_time_zone(tmp_path):
    images = []
    for zone in ("UTC", "Asia/Tokyo", "XYZ+7:30"):
        image = tmp_path / zone.replace("/", "-")
        cmsdisk("format", image, "--size", "64K", "-b", "512", "TST191", zone=zone)
        cmsdisk("put", image, "-", "A", "FILE", data=b"x\n", zone=zone)
        images.append(image.read_bytes())
    assert images[0] == images[1] == images[2]
    assert "2026-11-21 14:05:31" in cmsdisk("list", image, zone="America/New_York")


def test_a_disk_that_another_tool_filled_to_its_last_block_is_emptied(tmp_path):
    image = foreign.full_disk(tmp_path / "full.img", files=20)
    assert "89 of 89 blocks of 512 used" in cmsdisk("check", image)
    assert "disk is full" in cmsdisk("put", image, "-", "NEW", "FILE", data=b"x\n", status=2)
    cmsdisk("erase", image, "F3", "FILE")
    assert "85 of 89 blocks" in cmsdisk("check", image)
    for number in range(20):
        cmsdisk("erase", image, f"F{number}", "FILE", status=1 if number == 3 else 0)
        cmsdisk("check", image)
    assert cmsdisk("list", image).startswith("VOID     FILE     1  F     80          0          0 ")
    assert "6 of 89 blocks" in cmsdisk("check", image)
    cmsdisk("put", image, "-", "NEW", "FILE", data=b"x\n")


def test_check_tells_notes_from_inconsistencies(image):
    for number in range(20):
        cmsdisk("put", image, "-", f"F{number}", "FILE", data=b"x\n")
    content = bytearray(image.read_bytes())
    directory = 1024 * (int.from_bytes(content[512 + 0x10:512 + 0x14], "big") - 1)
    content[directory + 0x2f] = 1  # what it says of its own blocks, as a writer leaves it that does not keep it up
    image.write_bytes(content)
    shown = cmsdisk("check", image)
    assert f"{image}: note: directory: its block count is 1 instead of 2\n{image}: clean: 20 files" in shown
    map_block = int.from_bytes(content[directory + 64 + 0x28:directory + 64 + 0x2c], "big")
    content[1024 * (map_block - 1) + 64] |= 0x70  # blocks 514 to 516
    image.write_bytes(content)
    assert "map: blocks 514 to 516 are used in the map, but owned by no file\n" in cmsdisk("check", image, status=1)


def test_a_full_disk_keeps_the_old_file(image):
    cmsdisk("put", image, "-", "A", "FILE", data=b"old\n")
    big = b"0123456789abcdef\n" * 70000
    assert "disk is full" in cmsdisk("put", image, "-", "A", "FILE", data=big, status=2)
    assert cmsdisk("get", image, "A", "FILE") == "old\n"
    cmsdisk("check", image)


def test_check_finds_damage_and_says_where(image, tmp_path):
    cmsdisk("put", image, "-", "A", "FILE", data=b"".join(b"line %d\n" % n for n in range(900)))
    sound = image.read_bytes()
    damaged = bytearray(sound)
    damaged[512 + 0x23] += 1  # the label's used count
    image.write_bytes(damaged)
    assert "label: its used count is" in cmsdisk("check", image, status=1)
    image.write_bytes(sound[:600_000])
    assert "more blocks than the device has" in cmsdisk("check", image, status=1)
    image.write_bytes(b"")
    assert "not a CMS disk" in cmsdisk("check", image, status=2)


# A tape of 1984, as people who read old tapes have shown it: 373 cards, and the block that names them.
NAME_1984 = bytes.fromhex("02c3d4e2d501760001c1f101750000c60000000050" "0008f8f41205123100000" "13b0000000800000175"
                          "0104841205123121" "00000000" "e4e3c540e2c1e2c6c9d3c540" "00000000"
                          "c3c8c5c3d2f14040d7e2c1e240404040c1f1")


def aws(*blocks):
    """An AWSTAPE file; an empty block is a tape mark."""
    tape, previous = b"", 0
    for block in blocks:
        flags = 0xa0 if block else 0x40
        tape += len(block).to_bytes(2, "little") + previous.to_bytes(2, "little") + bytes([flags, 0]) + block
        previous = len(block)
    return tape


def cards_of_1984():
    data = "".join(f"CARD {n:<75}" for n in range(373)).encode("cp037")
    data = data.ljust(8 * 4096, b"\0")
    blocks = [b"\x02" + "CMSF".encode("cp037") + data[at:at + 4096] for at in range(0, len(data), 4096)]
    return aws(*blocks, NAME_1984, b"", b"")


def test_a_tape_of_a_real_cms_is_listed_read_and_loaded(image, tmp_path):
    tape = tmp_path / "old.aws"
    tape.write_bytes(cards_of_1984())
    expected = "".join(f"CARD {n}\n" for n in range(373))
    assert cmsdisk("tape", "list", tape) == (
        "CHECK1   PSAS     A1 F     80        373          8  1984-12-05 12:31:21\n")
    assert cmsdisk("tape", "get", tape, "CHECK1", "PSAS", "--ebcdic") == expected
    cmsdisk("tape", "load", tape, image, "CH*")
    assert cmsdisk("list", image).startswith("CHECK1   PSAS     1  F     80        373 ")
    assert "1984-12-05 12:31:21" in cmsdisk("list", image)
    assert cmsdisk("get", image, "CHECK1", "PSAS", "--ebcdic") == expected
    cmsdisk("tape", "list", tape, "NOSUCH", status=1)
    cmsdisk("tape", "get", tape, "NO", "SUCH", status=1)
    cmsdisk("tape", "load", tape, image, "NOSUCH", status=1)


def test_a_minidisk_is_dumped_to_a_tape_and_back(image, tmp_path):
    tape, back = tmp_path / "new.aws", tmp_path / "back.img"
    text = "".join(f"line {n}\n" for n in range(3000)).encode()
    cmsdisk("put", image, "-", "SOME", "TEXT", "--ebcdic", data=text)
    cmsdisk("put", image, "-", "CARDS", "DECK", "--recfm", "F", data=text)
    cmsdisk("tape", "dump", tape, image, "SOME")
    once = tape.read_bytes()
    cmsdisk("tape", "dump", tape, image, "CARDS", "*")
    assert tape.read_bytes().startswith(once[:-6])  # in place of the tape mark
    assert once[-6:] == tape.read_bytes()[-6:]
    assert re.findall(r"^(\w+) ", cmsdisk("tape", "list", tape), re.M) == ["SOME", "CARDS"]
    cmsdisk("format", back, "--size", "1M", "BACK")
    cmsdisk("tape", "load", tape, back)
    assert cmsdisk("get", back, "SOME", "TEXT", "--ebcdic").encode() == text
    assert cmsdisk("get", back, "CARDS", "DECK").encode() == text
    cmsdisk("check", back)


def test_what_is_no_tape_is_refused_and_left_alone(image, tmp_path):
    tape = tmp_path / "bad.aws"
    for content, said in ((cards_of_1984()[:5000], "the file ends within a block"),
                          (aws(b"hello"), "a block is not one of TAPE DUMP"),
                          (b"no tape at all", "a tape mark has a length")):
        tape.write_bytes(content)
        assert said in cmsdisk("tape", "list", tape, status=2)
    cmsdisk("tape", "dump", tape, image, status=2)
    assert tape.read_bytes() == b"no tape at all"
    assert "unknown function" in cmsdisk("tape", "rewind", tape, status=2)


@pytest.mark.skipif(not shutil.which("hetget"), reason="Debian's package hercules is not installed")
def test_hercules_reads_what_we_write(image, tmp_path):
    tape, blocks = tmp_path / "new.aws", tmp_path / "blocks"
    cmsdisk("put", image, "-", "CARDS", "DECK", "--recfm", "F", "--ebcdic", data=b"card\n" * 100)
    cmsdisk("tape", "dump", tape, image)
    found = subprocess.run(["hetmap", tape], capture_output=True, text=True, timeout=60, check=True).stdout
    assert re.search(r"Blocks +: 3\nMin Blocksize +: 87\nMax Blocksize +: 4101\n", found)
    subprocess.run(["hetget", "-n", tape, blocks, "1", "U", "0", "4101"], capture_output=True, timeout=60, check=True)
    data = blocks.read_bytes()
    head = b"\x02" + "CMSF".encode("cp037")
    cards = "card".ljust(80).encode("cp037") * 100
    assert data.startswith(head + cards[:4096] + head + cards[4096:] + b"\x02" + "CMSN".encode("cp037"))
