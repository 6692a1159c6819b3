"""CP under CP under CP: a tower stands, and one can work at its top."""
import os
import subprocess

import harness
import pytest
from harness import READY, ROOT


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_make_nested_ends_at_a_ready_three_levels_up(emulator):
    done = subprocess.run([os.path.join(ROOT, "scripts", "nested"), "3"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300, check=False, env={**os.environ, "VMN_MACHINE": emulator})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines().count("VM/N ONLINE") == 3
    assert "Ready;" in done.stdout


def test_files_can_be_made_three_levels_up(machine, tmp_path):
    disk = tmp_path / "disk.img"
    subprocess.run([os.path.join(ROOT, "scripts", "tower"), "3", str(disk)], check=True)
    top = machine("--disk", str(disk), "--logon", "CP2", "--lines", "1").console
    top.expect(READY, timeout=harness.BOOT_SECONDS)
    top.cms("PIPE literal written at the top| > top text a")
    assert top.code == 0
    assert "written at the top" in top.cms("TYPE TOP TEXT A")


def test_a_depth_that_is_none_is_refused():
    for depth in ("0", "10", "x"):
        done = subprocess.run([os.path.join(ROOT, "scripts", "nested"), depth], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 2 and "DEPTH" in done.stderr
