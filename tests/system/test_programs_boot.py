"""Programs in CMS on a plain PC, whose processor may have less than the newest."""
import os
import subprocess

import pytest

from harness import ROOT
from test_cms_alone import CMSDISK, ipl  # noqa: F401: a fixture

ABI = os.path.join(ROOT, "build", "programs", "abi-static")
CASES = {"processor": 9, "memory": 12}


@pytest.fixture
def a_disk(tmp_path):
    image = tmp_path / "191.img"
    subprocess.run([CMSDISK, "format", image, "ALI191", "--size", str(8 << 20)], check=True)
    subprocess.run([CMSDISK, "put", "--recfm", "F", "--lrecl", "1", "--binary", image, ABI, "ABI", "MODULE"],
                   check=True)
    return image


@pytest.mark.parametrize("processor", ["qemu64", "Nehalem", "Haswell", "max"])
def test_programs_run_on_processors_that_lack_what_newer_ones_have(ipl, a_disk, processor):  # noqa: F811
    """From FXSAVE, neither 1 GiB pages nor SMEP to AVX and FSGSBASE."""
    cms = ipl([("0191", a_disk, False)], "-serial", "stdio", "-cpu", processor)
    cms.ready()
    for group, cases in CASES.items():
        assert f"{cases} cases, 0 failed" in cms.do(f"abi {group}")


def test_a_program_crashes_and_commands_go_on(ipl, a_disk):  # noqa: F811
    cms = ipl([("0191", a_disk, False)])
    cms.ready()
    cms.do("SET RDYMSG SMSG")
    assert "CMS Level" in cms.do("QUERY CMSLEVEL")
    cms.do("abi exit 3", code=3)
    assert "ABI      MODULE" in cms.do("LISTFILE * * A")
