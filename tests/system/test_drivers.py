"""CP's real disk drivers on bare machines: the payload checks from inside, here the images are checked from outside."""
import re
import struct
import subprocess

from harness import guest

SECTORS = 20480
SECTOR = 512


def numbered_image(path):
    with open(path, "wb") as image:
        for n in range(SECTORS):
            image.write(struct.pack("<Q", n) + bytes(SECTOR - 8))
    return str(path)


def pattern(count, seed):
    """What the payload's fill() makes."""
    made = bytearray()
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0xFFFFFFFF
        made.append(seed >> 16 & 0xFF)
    return bytes(made)


def check_image(path):
    """The writes are where they belong, and every other sector is untouched but those of the measured write."""
    data = open(path, "rb").read()
    scattered = sum(1 + i % 3 for i in range(20)) * SECTOR
    written = {5000: pattern(scattered, 1), 6000: pattern(64 * 8 * SECTOR, 2)}
    for sector, bytes_ in written.items():
        assert data[sector * SECTOR:sector * SECTOR + len(bytes_)] == bytes_
    touched = set(range(7000, 7008))
    for sector, bytes_ in written.items():
        touched |= set(range(sector, sector + len(bytes_) // SECTOR))
    for n in set(range(SECTORS)) - touched:
        assert data[n * SECTOR:(n + 1) * SECTOR] == struct.pack("<Q", n) + bytes(SECTOR - 8)


def test_ata_on_bochs(bare, tmp_path):
    image = numbered_image(tmp_path / "ata.img")
    m = bare("drivers", "--disk", image)
    said = m.console.expect("1 disks")
    assert m.wait() == 0
    assert "-- ata" in said and "FAIL" not in said
    check_image(image)


def test_ata_and_virtio_on_qemu(tmp_path):
    ata, virtio = numbered_image(tmp_path / "ata.img"), numbered_image(tmp_path / "virtio.img")
    done = subprocess.run(
        ["qemu-system-x86_64", "-m", "128", "-display", "none", "-serial", "stdio", "-kernel", guest("drivers"),
         "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-drive", f"file={ata},if=ide,format=raw",
         "-drive", f"file={virtio},if=none,id=v,format=raw", "-device", "virtio-blk-pci,drive=v,serial=0191"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert "-- virtio '0191'" in done.stdout and "2 disks" in done.stdout and "FAIL" not in done.stdout
    assert done.returncode == 1  # the device makes 2n+1 of status n
    check_image(ata)
    check_image(virtio)


def numbers(text):
    return [int(n) for n in re.findall(r"(\d{5}) the quick brown fox\r\n", text)]


def test_lines_on_bochs(bare):
    m = bare("lines", "--lines", "2")
    first, second = m.line(1), m.line(2)
    for line in (first, second):
        line.expect("line ready", timeout=60)
    for byte in (0x00, 0x03, 0x0D, 0x80, 0xFF):
        for line in (first, second):
            line.send(chr(byte))
            line.expect(rf"\[{byte:02x}\]")
    first.send("F")
    second.send("F")
    for line in (first, second):
        said = line.expect_exact("02999 the quick brown fox\r\n", timeout=60)
        assert numbers(said + line.child.after) == list(range(3000))
    second.send("x" * 40)
    second.expect(r"(\[78\]){40}")
    first.send("Q0")
    assert m.wait() == 0
