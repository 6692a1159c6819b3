"""Many users on QEMU without virtualization hardware: how many CMS users are logged on at once in 512 MiB, and what
storage each takes. Each is started by XAUTOLOG and reaches CMS' command level; that it answers is seen by taking each
session over at a terminal, where CMS carries out a command."""
import tempfile
import time

from record import figure, harness
import crowd  # of harness's folder

USERS = 1000
ASKED_EVERY = 1  # is asked to answer
BATCH = 20


def settle(operator):
    """Waits until all who were started have come to their command level, where their processors halt."""
    while True:
        operator.type("INDICATE LOAD")
        operator.expect(r"RUNNABLE-(\d+)", timeout=60)
        runnable = int(operator.match.group(1))
        operator.expect("CP> ")
        if not runnable:
            return
        time.sleep(0.1)


def start_all(operator, users):
    """XAUTOLOG of each, some at a time; how many began."""
    begun = 0
    for first in range(1, users + 1, BATCH):
        for number in range(first, min(first + BATCH, users + 1)):
            operator.type(f"XAUTOLOG MNY{number:05}")
            operator.expect(r"AUTO LOGON  \*\*\*  MNY\d+ +USERS = (\d+)|HCP\w+", timeout=60)
            if operator.match.group(1):
                begun += 1
            else:
                return begun
        settle(operator)
    return begun


def answers(line, number):
    """Its session is taken over, and CMS there carries out a command."""
    line.type(f"LOGON MNY{number:05}")
    line.expect("(?i)password")
    line.type("vmn")
    line.expect(r"RECONNECTED AT[^\n]*\n", timeout=60)
    line.type("QUERY DISK S")
    line.expect(r"190 +S +R/O", timeout=60)
    line.expect(harness.READY, timeout=60)
    line.type("#CP DISCONNECT")
    line.expect("Enter LOGON", timeout=60)


def free_frames(operator):
    operator.type("INDICATE LOAD")
    operator.expect(r"FREE-(\d+)", timeout=60)
    free = int(operator.match.group(1))
    operator.expect("CP> ")
    return free


def many(users=USERS, every=ASKED_EVERY):
    with tempfile.TemporaryDirectory() as place:
        disk = crowd.disk_with(place, crowd.directory_text(users))
        with harness.Machine("bench-many", "--machine", "tcg", "--memory", "512", "--disk", disk) as machine:
            operator, line = machine.line(1), machine.line(2)
            for each in (operator, line):
                each.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
            operator.type("LOGON OPERATOR NOIPL")
            operator.expect("(?i)password")
            operator.type("vmn")
            operator.expect("CP> ")
            before = free_frames(operator)
            begun = start_all(operator, users)
            for number in range(1, begun + 1, every):
                answers(line, number)
                if number % BATCH == 0:
                    free_frames(operator)  # reads what the operator is told of each of them
            free = free_frames(operator)
    return begun, (before - free) * 4 / begun


def take():
    begun, store = many()
    figure("many_users", begun, "users")
    figure("many_users_store", round(store), "KiB/user", bound=512)


PARTS = {"many": take}
