"""The plug is pulled, or the emulator killed, at random moments of file work. After each: the minidisk is sound, and
every file is wholly its old or its new self. VMN_CUTS says how often (make soak: 100 and more)."""
import os
import random
import signal
import time

import harness
import pytest
from harness import cmsdisk, new_disk

CUTS = int(os.environ.get("VMN_CUTS", "20"))
SEED = int(os.environ.get("VMN_SEED", str(int(time.time()))))
FILES = 4


def contents(disk):
    """Name -> the generation each file is of; a file must be of one generation in all its records."""
    found = {}
    for n in range(FILES):
        got = cmsdisk(disk, "ALICE", "191", "get", f"FILE{n}", "DATA", check=False)
        if got.returncode:
            continue
        records = got.stdout.decode().split()
        assert records and len(set(records)) == 1, f"FILE{n} is of two minds: {records}"
        found[n] = (int(records[0].removeprefix("g")), len(records))
    return found


def work(line, rng, generation):
    """One file operation; returns (file, generation it is about to have)."""
    n = rng.randrange(FILES)
    count = rng.choice((1, 5, 40))
    words = "/".join([f"g{generation}"] * count)
    line.type(f"PIPE literal {words}| split /| > file{n} data a")
    return n, (generation, count)


def pull_the_plug(m):
    m.power_cut()


def kill_the_emulator(m):
    emulator, = m.processes()
    os.kill(emulator, signal.SIGKILL)
    m.console.expect(r"vmn: the emulator stopped: signal 9")
    assert m.wait() == 70
    assert not m.run_directories()


@pytest.mark.parametrize("emulator, cut_off", [("bochs", pull_the_plug), ("tcg", kill_the_emulator)])
def test_a_cut_leaves_every_file_old_or_new(machine_name, tmp_path, emulator, cut_off):
    rng = random.Random(SEED)
    disk = new_disk(tmp_path / "disk.img")
    generation = 0
    print(f"seed {SEED}")
    for cut in range((CUTS + 1) // 2):
        before = contents(disk)
        expected = {n: {before.get(n)} for n in range(FILES)}
        with harness.Machine(machine_name, "--machine", emulator, "--disk", disk, "--lines", "1") as m:
            m.console.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
            m.console.logon("ALICE")
            moment = time.monotonic() + rng.uniform(0.0, 0.5)
            finished = False
            while not finished:
                generation += 1
                n, new = work(m.console, rng, generation)
                expected[n] = {*expected[n], new}
                finished = ready_by(m.console, moment)
                if not finished:
                    expected[n] = {new}  # Ready: what was said to be written is on the disk
            cut_off(m)
        checked = cmsdisk(disk, "ALICE", "191", "check", check=False)
        assert checked.returncode == 0, f"cut {cut}: {checked.stdout.decode()}{checked.stderr.decode()}"
        after = contents(disk)
        for n in range(FILES):
            assert after.get(n) in expected[n], f"cut {cut}: FILE{n} is {after.get(n)}, not one of {expected[n]}"


def ready_by(line, moment):
    """Waits for Ready; true when the moment came first."""
    left = moment - time.monotonic()
    if left <= 0:
        return True
    try:
        line.expect(harness.READY, timeout=left)
        return False
    except harness.pexpect.TIMEOUT:
        return True
