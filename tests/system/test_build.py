"""What `make run` builds, and what it shows meanwhile. Nothing is compiled here: make only says what it would do, or a
stand-in does it."""
import os
import re
import subprocess
import time

import pexpect
import pytest

from harness import ROOT

BUILD = os.path.join(ROOT, "scripts", "build")


def would_run(target, tmp_path):
    """The commands `make TARGET` would run in a fresh clone."""
    done = subprocess.run(["make", "-n", target, f"B={tmp_path}/build", f"DISK={tmp_path}/disk.img"], cwd=ROOT,
                          text=True, capture_output=True,
                          env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_fresh_clone_builds_what_running_needs_and_nothing_of_the_tests(tmp_path):
    said = would_run("run", tmp_path)
    compiled = re.findall(r" -c (\S+)", said)
    assert not [source for source in compiled if source.startswith("tests/")]
    for source in ("cp/boot/main.c", "cms/boot/main.c", "images/mkimage.c"):
        assert source in compiled
    assert "scripts/vmn-relay.c" in said and f"{tmp_path}/disk.img" in said
    for_the_host = re.findall(r"fsanitize=\S+.* -c (\S+)", said)  # of the rooms, the tools want a few
    assert "cms/edf/edf_write.c" in for_the_host and len(for_the_host) < 50


@pytest.fixture
def make(tmp_path):
    """A stand-in for make: would compile three files; waits for the file `go` and shows how it was called."""
    script = tmp_path / "make"
    script.write_text(f"""#!/bin/sh
case " $* " in
*" -n "*) [ -e {tmp_path}/built ] || printf 'cc -c a.c\\ncc -c b.c\\ncc -c c.c\\n'; exit ;;
esac
echo "made: $*"
while [ ! -e {tmp_path}/go ]; do sleep 0.05; done
touch {tmp_path}/built
""")
    script.chmod(0o755)
    return {**os.environ, "MAKE": str(script)}


def test_one_builds_at_a_time_and_the_second_finds_nothing_to_do(tmp_path, make):
    def start():
        return subprocess.Popen([BUILD, str(tmp_path / "b"), "target"], env=make, stdout=subprocess.PIPE, text=True)
    first = start()
    assert first.stdout.readline() == "compiling 3 files\n"
    assert "STEPS=3 IN_PLACE= target" in first.stdout.readline()
    second = start()
    assert second.stdout.readline() == f"another make builds in {tmp_path}/b; waiting for it\n"
    time.sleep(0.2)
    assert second.poll() is None
    (tmp_path / "go").touch()
    assert first.wait(30) == 0
    said = second.communicate(timeout=30)[0]
    assert second.returncode == 0 and "compiling" not in said and "STEPS=0" in said


def test_a_terminal_is_shown_how_far_it_is(tmp_path):
    os.symlink(os.path.join(ROOT, "Makefile"), tmp_path / "Makefile")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "small.c").write_text("int small;\n")
    target = "build/free/lib/small.o"
    shown = pexpect.run(f"{BUILD} build {target}", cwd=str(tmp_path), encoding="latin-1",
                        env={**os.environ, "MAKEFLAGS": ""})
    assert "compiling 1 files" in shown and re.search(r"\r\x1b\[K  1 of 1  lib/small.c", shown), shown
    (tmp_path / target).unlink()
    piped = subprocess.run([BUILD, "build", target], cwd=tmp_path, text=True, capture_output=True)
    assert piped.stdout == "compiling 1 files\n"
    again = subprocess.run([BUILD, "build", target], cwd=tmp_path, text=True, capture_output=True)
    assert again.stdout == "" and (tmp_path / target).exists()
