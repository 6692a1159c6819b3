"""Systems saved by command: DEFSYS, SAVESYS, IPL of them by others, and over restarts and power cuts."""
import harness
from test_saved import ALTERED, AS_SAVED, EITHER, Users

DEFINED = "HCPNSD440I Named Saved System (NSS) {} was successfully defined"
SAVED = "HCPNSS440I Named Saved System (NSS) {} was successfully saved"


def save(users, name, *operands, user="OPERATOR"):
    """What that user's machine is now, under a name."""
    line = users.line[user]
    line.type(f"#CP DEFSYS {name} {' '.join(operands)}")
    line.expect_exact(DEFINED.format(name), timeout=60)
    line.type(f"#CP SAVESYS {name}")
    line.expect_exact(SAVED.format(name), timeout=60)


def begin(users, name="POINT"):
    """OPERATOR's machine waits for a key, and is saved there; the others are at CP's prompt."""
    for user in ("OPERATOR", "ALICE", "BOB"):
        users.logon(user)
    users.ipl("OPERATOR")
    save(users, name, "0-7FF EW PARMREGS=NONE")


@EITHER
def test_a_machine_saved_by_command_goes_on_in_others_and_they_see_nothing_of_each_other(machine, tmp_path, options):
    users = Users(machine, tmp_path, *options)
    begin(users)
    for user in ("ALICE", "BOB", "OPERATOR"):  # the last in the machine that was saved
        line = users.line[user]
        if user != "OPERATOR":
            line.type("IPL POINT")
            line.expect("IPL POINT")
        line.send(".")
        line.expect_exact("then: " + ALTERED, timeout=60)
    users.end("ALICE")
    users.line["ALICE"].type("IPL POINT")
    users.line["ALICE"].send(".")
    users.line["ALICE"].expect_exact("then: " + ALTERED, timeout=60)
