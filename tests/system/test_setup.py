"""scripts/setup against stand-ins for dpkg-query, id and apt-get."""
import os
import subprocess

import pytest

from harness import ROOT


@pytest.fixture
def setup(tmp_path):
    """setup(missing, uid, apt=...) runs it where those packages are missing; its process and apt-get's calls."""
    def run(missing, uid, apt="exit 0", scope="run"):
        calls = tmp_path / "calls"
        calls.write_text("")
        stand_ins = {
            "dpkg-query": 'for last; do :; done; case " %s " in *" $last "*) exit 1 ;; esac\n'
                          'echo "install ok installed"'
                          % " ".join(missing),
            "id": f"echo {uid}",
            "apt-get": f'echo "$@" >>{calls}\n{apt}',
        }
        for name, body in stand_ins.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / name).chmod(0o755)
        done = subprocess.run([os.path.join(ROOT, "scripts", "setup"), scope], capture_output=True, text=True,
                              env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
        return done, calls.read_text().splitlines()
    return run


def test_nothing_missing_is_silent(setup):
    done, calls = setup([], 1000)
    assert (done.returncode, done.stdout, done.stderr, calls) == (0, "", "", [])


def test_root_installs_exactly_what_is_missing(setup):
    done, calls = setup(["bochs", "xorriso"], 0)
    assert done.returncode == 0
    assert calls == ["install -y --no-install-recommends bochs xorriso"]


def test_anybody_else_gets_the_one_line_to_run(setup):
    done, calls = setup(["bochs", "xorriso"], 1000)
    assert done.returncode == 1 and calls == []
    assert done.stderr == ("setup: packages are missing; please run:  "
                           "sudo apt-get install -y --no-install-recommends bochs xorriso\n")


def test_stale_package_lists_are_refreshed(setup):
    done, calls = setup(["bochs"], 0, apt='case $1 in update) : >"$0.new" ;; esac; [ -e "$0.new" ]')
    assert done.returncode == 0
    assert [c.split()[0] for c in calls] == ["install", "update", "install"]


def test_a_failed_installation_is_a_failure(setup):
    done, _ = setup(["bochs"], 0, apt="exit 100")
    assert done.returncode == 1
    assert "could not install" in done.stderr
