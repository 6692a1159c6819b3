"""Users of a CP that is itself a guest: what one of them does holds up neither its
other users nor anybody beside it."""
import re
import time
from functools import partial

import pytest
from towers import cp, runs, tower

EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])

# user: what IPLs at XAUTOLOG, and what it is told
HOSTILE = {
    "RECURAC": ("VMX_LOOP", "ac"), "RECURDB": ("VMX_LOOP", "db"),
    "NESTAC": ("VMX_LOOP", "l2 ac"), "NESTDB": ("VMX_LOOP", "l2 db"),
    "RINGS": ("LONGEST", "ring"), "CALLS": ("LONGEST", "commands"), "TOUCHES": ("TOUCH", ""), "SPINS": ("SPIN", ""),
}


def frames(line):
    """Those that are free, once they are as many three times in turn."""
    said = []
    while len(said) < 3 or len(set(said[-3:])) > 1:
        assert len(said) < 50, said
        said.append(int(re.search(r"FREE-(\d+)", cp(line, "INDICATE LOAD", "FREE-"))[1]))
        time.sleep(0.1)
    return said[-1]


@EITHER
def test_no_guest_of_a_cp_that_is_a_guest_holds_up_either(machine, tmp_path, emulator):
    start = partial(machine, "--machine", emulator)
    lowest, above = tower(tmp_path, start, 2, ["vmx_loop", "longest", "touch", "spin"], HOSTILE)
    free = []
    for user in [*HOSTILE, *HOSTILE]:  # CP keeps some frames from the first time of each
        cp(above, f"XAUTOLOG {user}", f"AUTO LOGON AS {user} ")
        runs(above, user)
        for _ in range(3):
            cp(above, "QUERY TIME", "TIME IS")
            cp(lowest, "QUERY TIME", "TIME IS")
        cp(above, f"FORCE {user}", f"FORCED +AS {user} ")
        free.append(frames(above))
    assert len(set(free[len(HOSTILE):])) == 1, free
