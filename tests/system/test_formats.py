"""Kernels that are begun by multiboot 2 and by PVH: what they were told, on both hosts."""
import os
import subprocess

import pytest

import harness
from harness import run_piped

SOURCES = os.path.join(harness.ROOT, "tests", "guest", "formats")


def kernel(folder, *defines):
    """An ELF32 image at 2 MiB whose header, or note, is in its first page."""
    image = folder / "kernel"
    subprocess.run(["gcc", "-m32", "-ffreestanding", "-fno-pic", "-no-pie", "-nostdlib", "-O1", "-fno-stack-protector",
                    "-mno-sse", "-Wl,--build-id=none,-Ttext-segment=0x200000,-z,noexecstack", "-Wl,-e,start", *defines,
                    os.path.join(SOURCES, "boot.S"), os.path.join(SOURCES, "main.c"), "-o", str(image)], check=True,
                   capture_output=True)
    return str(image)


def said(tmp_path, host, *defines):
    module = tmp_path / "data"
    module.write_bytes(bytes(range(100)))
    done = run_piped("--machine", host, "--ipl", kernel(tmp_path, *defines), "--append", "one two=3", "--module",
                     str(module), "--module-append", "first of all", "--guest-memory", "64", timeout=120)
    assert done.returncode == 7, done.stdout
    return done.stdout.decode().replace("\r", "").splitlines()


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_multiboot_2_tells_all_in_tags(tmp_path, host):
    lines = said(tmp_path, host)
    assert "line 0 0 one two=3" in lines
    assert "loader 0 0 VM/N" in lines
    assert "module 64 1356 data first of all" in lines # 100 bytes, and their sum
    assert lines.index("module 64 1356 data first of all") < next(i for i, t in enumerate(lines) if " tree" in t)
    assert "memory 27c fc00 " in lines
    assert "ram 0 9f000 " in lines and "ram 100000 3f00000 " in lines
    assert "acpi 14 0 sound" in lines and "acpi 24 0 sound" in lines
    assert "base 200000 0 " in lines
    assert "end 8 0 " in lines


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_pvh_tells_the_same_in_its_way(tmp_path, host):
    lines = said(tmp_path, host, "-DPVH")
    assert "pvh 1 0 one two=3" in lines
    assert "module 64 1356 data first of all" in lines
    assert "ram 0 9f000 " in lines and "ram 100000 3f00000 " in lines
    assert "acpi 0 0 sound" in lines
