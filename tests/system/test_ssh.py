"""People who come by SSH: two at once, by key and by password; one is cut off, comes back and goes on."""
import os
import signal
import socket
import subprocess
import time

import pexpect
import pytest

import harness
from harness import ROOT
from ssh_front import Front, free_port, two_at_once


def status(line):
    line.child.expect(pexpect.EOF, timeout=30)
    line.child.close()
    return line.child.exitstatus


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_two_come_by_ssh_and_one_who_is_cut_off_goes_on(machine, tmp_path, host):
    front = Front(machine, tmp_path, host)
    alice = front.visit("alice")
    alice.expect(harness.READY, timeout=60)  # by her key, without a word
    bob = front.visit("bob", key=False)
    bob.expect("ENTER PASSWORD")  # his name is typed for him
    bob.type("vmn")
    bob.expect(harness.READY, timeout=60)
    assert "PAGELENGTH 030, LINESIZE 100" in bob.cms("CP QUERY TERMINAL")  # his own terminal's
    alice.cms("PIPE literal kept| > KEPT TEXT A")
    assert "ALICE    - L0002, BOB      - L0003" in bob.cms("CP QUERY NAMES")
    alice.child.kill(9)
    alice.child.close()
    for _ in range(100):
        if "ALICE    - DSC" in bob.cms("CP QUERY NAMES"):
            break
    else:
        pytest.fail("ALICE is not disconnected")
    again = front.visit("ALICE")
    again.expect("RECONNECTED AT", timeout=60)
    again.expect("PIPE literal kept. > KEPT TEXT A")  # the last screen
    again.expect(harness.READY)
    assert "kept" in again.cms("TYPE KEPT TEXT A")
    other = front.visit("Alice")  # whoever has the key takes the session to where they are
    other.expect("RECONNECTED AT", timeout=60)
    again.expect("DISCONNECT AT")
    again.expect("CP> ")
    again.type("LOGOFF")
    assert status(again) == 0
    other.type("CP LOGOFF")
    other.expect("LOGOFF AT")
    assert status(other) == 0
    bob.type("#CP DISCONNECT")
    bob.expect("DISCONNECT AT")
    assert status(bob) == 0


@pytest.mark.parametrize("host", ["tcg", "bochs"])
def test_by_ssh_there_is_a_line_and_nothing_else(machine, tmp_path, host):
    front = Front(machine, tmp_path, host)
    done = front.piped("alice", "QUERY DISK\n")  # what is piped is typed, and its end is the end
    assert done.returncode == 0 and b"ALI191" in done.stdout and b"LOGOFF AT" in done.stdout
    refused = front.piped("alice", "", key=False)  # who has keys comes by one of them
    assert refused.returncode == 255 and b"Permission denied" in refused.stderr
    nobody = front.piped("nobody9", "vmn\n", key=False)
    assert nobody.returncode == 1 and b"HCPLGA050E" in nobody.stdout  # told like anybody at any terminal
    for name, expected in (("root", 1), ("sshd", 1), ("toolongname", 2), ("a b", 255), ("$(id)", 255), ("x;y", 255),
                           ("--", 255)):
        done = subprocess.run(front.command("x", "-T", "-l", name, key=False), input=b"", capture_output=True,
                              timeout=60)
        assert b"uid=" not in done.stdout
        assert done.returncode == expected, name
        assert (b"LOGON " + name.upper().encode() in done.stdout) == (expected == 1), name
        assert (b"a user ID has 1 to 8 characters" in done.stderr) == (expected == 2), name
    done = subprocess.run([*front.command("alice", "-T"), "id; cat /etc/passwd"], input=b"", capture_output=True,
                          timeout=60)
    assert done.returncode == 2 and not done.stdout and b"takes no command" in done.stderr
    done = subprocess.run(front.command("alice", "-T", "-s", "-N", "-o", "ExitOnForwardFailure=yes", "-L",
                                        f"{free_port()}:127.0.0.1:22", "-R", "0:127.0.0.1:22"), input=b"",
                          capture_output=True, timeout=60)
    assert done.returncode == 255
    done = subprocess.run(["sftp", "-F", "none", "-b", "-", "-P", front.port, "-o", f"IdentityFile={front.key}", "-o",
                           "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={front.place}/hosts",
                           "alice@127.0.0.1"], input=b"ls /\n", capture_output=True, timeout=60)
    assert done.returncode and b"etc" not in done.stdout and b"subsystem request failed" in done.stderr


def test_by_ssh_too_who_says_here_takes_the_session_from_the_connection_that_has_it(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg")
    first = front.visit("bob", key=False)
    first.expect("ENTER PASSWORD")
    first.type("vmn")
    first.expect(harness.READY, timeout=60)
    second = front.visit("bob", key=False)
    second.expect("ENTER PASSWORD")
    second.type("vmn")
    second.expect("HCPLGA054E Already logged on L0002")
    second.expect("LOGON BOB HERE takes the session to this terminal")
    second.type("LOGON BOB HERE")
    second.expect("ENTER PASSWORD")
    second.type("vmn")
    second.expect("RECONNECTED AT", timeout=30)
    second.expect(harness.READY)  # the last screen
    first.expect("DISCONNECT AT")
    first.expect("CP> ")
    assert "BOB      - L0003" in second.cms("CP QUERY NAMES")
    first.type("LOGOFF")
    assert status(first) == 0
    second.type("#CP LOGOFF HOLD")
    second.expect("Enter LOGON")
    second.type("LOGOFF")
    assert status(second) == 0


def test_who_is_let_in_and_begins_nothing_is_let_go(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg")
    with subprocess.Popen(front.command("bob", "-T", "-N", key=False), stdin=subprocess.DEVNULL) as idle:
        try:
            assert idle.wait(timeout=90) == 255
        finally:
            idle.kill()


def test_two_who_type_at_once_lose_no_byte(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg", "--module", harness.guest("mirror"))
    assert two_at_once(front, 16000)[0] == 0


def test_who_has_keys_comes_by_no_other_name_either(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg")
    other = front.visit("nobody9", key=False)
    other.expect("ENTER PASSWORD")
    other.type("x")
    other.expect("CP> ", timeout=30)
    other.type("LOGON ALICE")
    other.expect("ENTER PASSWORD")
    other.type("vmn")
    other.expect("HCPLGA050E", timeout=30)


def test_the_line_of_a_killed_client_is_free_though_its_machine_computes(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg", "--lines", "2", "--module", harness.guest("spin"))
    client = subprocess.Popen(front.command("alice", "-T"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    read = b""
    while b"Ready;" not in read:
        read += client.stdout.read1()
    client.stdin.write(b"#CP IPL SPIN\r")
    client.stdin.flush()
    while b"IPL SPIN" not in read:
        read += client.stdout.read1()
    client.kill()
    client.wait()
    bob = front.visit("bob", key=False)
    for _ in range(20):
        if not bob.child.expect(["ENTER PASSWORD", "every line is in use"], timeout=30):
            return
        bob = front.visit("bob", key=False)
    pytest.fail("the line is held")


def test_when_every_line_is_in_use_the_next_is_told_so(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg", "--lines", "2")
    first = front.visit("bob", key=False)
    first.expect("ENTER PASSWORD")
    second = front.piped("bob", "", key=False)
    assert second.returncode == 1 and b"every line is in use" in second.stderr
    first.child.kill(9)
    first.child.close()
    third = front.visit("bob", key=False)
    third.expect("ENTER PASSWORD", timeout=60)


def test_who_comes_as_another_leaves_is_heard_from_the_first_byte(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg")
    for _ in range(4):
        visits = [subprocess.Popen(front.command("nobody9", "-T", key=False), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE) for _ in range(20)]
        for visit in visits:
            assert b"LOGON NOBODY9" in visit.communicate(timeout=90)[0]


def test_who_sits_at_the_prompt_keeps_nobody_out_who_has_a_key(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg", "--lines", "5")
    for _ in range(3):
        front.visit("bob", key=False).expect("ENTER PASSWORD")
    fourth = front.piped("bob", "", key=False)
    assert fourth.returncode == 1 and b"every line is in use" in fourth.stderr
    front.visit("alice").expect(harness.READY, timeout=60)


def test_a_visitor_who_does_not_read_halts_nobody_for_long(tmp_path):
    """On a line that is a pty, as Bochs' are: what it says cannot be held back but by halting the machine."""
    relay = os.path.join(ROOT, "build", "vmn-relay")
    says = "echo begun | tee line2 >line1; read -r _ <line2; yes | head -c 6000000 >line2; echo done >line1; sleep 60"
    machine = subprocess.Popen([relay, "--door", str(tmp_path), "2", "--", "/bin/sh", "-c", says],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert b"begun" in machine.stdout.readline()
    visitor = subprocess.Popen([relay, "--enter", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    visitor.stdin.write(b"go\n")
    visitor.stdin.flush()
    try:
        assert visitor.wait(timeout=25) == 0
        assert b"done" in machine.stdout.readline()
    finally:
        machine.terminate()
        machine.wait()
        visitor.kill()
        visitor.wait()


CARELESS = """
import os, time
line = os.open("line2", os.O_RDWR | os.O_NOCTTY)
first = os.open("line1", os.O_RDWR | os.O_NOCTTY)
heard = b""
def hear(mark):
    global heard
    while mark not in heard:
        heard += os.read(line, 100)
    heard = heard.partition(mark)[2]
os.write(line, b"for nobody")
hear(b"tokG;")
print("VMN-GONE 2", flush=True)
os.write(first, b"begun\\n")
hear(b"tokC;")
os.write(line, b"for the first")
hear(b"tokG;")
for _ in range(30):
    os.write(line, b"still for the first")
    time.sleep(0.02)
print("VMN-GONE 2", flush=True)
os.write(line, b"and this")
hear(b"tokC;")
os.write(line, b"for the second")
print("VMN-HANGUP 2 3", flush=True)
time.sleep(60)
"""


def test_nobody_is_shown_what_was_for_the_one_before(tmp_path):
    """On a line that is a pty CP may have words for who left on their way for as long as it has not said otherwise."""
    relay = os.path.join(ROOT, "build", "vmn-relay")
    machine = subprocess.Popen([relay, "--door", str(tmp_path), "2:tok", "--", "/usr/bin/python3", "-c",
                                CARELESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    visit = [relay, "--enter", str(tmp_path)]
    try:
        assert b"begun" in machine.stdout.readline()
        first = subprocess.Popen(visit, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert first.stdout.read(3) == b"for"
        first.kill()
        first.wait()
        second = subprocess.run(visit, stdin=subprocess.PIPE, stdout=subprocess.PIPE, timeout=30)
        assert second.stdout == b"for the second"
        assert second.returncode == 3  # as CP says
    finally:
        machine.terminate()
        machine.wait()


QUIET = """
import os, select
lines = {os.open(f"line{n}", os.O_RDWR | os.O_NOCTTY): n for n in (1, 2, 3)}
heard = dict.fromkeys(lines, b"")
for line in lines:
    os.write(line, b"heeded\\n")
while True:
    for line in select.select(list(lines), [], [])[0]:
        n = lines[line]
        heard[line] += os.read(line, 100)
        while b";" in heard[line]:
            mark, _, heard[line] = heard[line].partition(b";")
            if mark.endswith(b"tokG"):
                print(f"VMN-GONE {n}", flush=True)
            if mark.endswith(b"tokC"):
                os.write(line, b"line %d" % n)
        if n == 1:
            print(heard[line].decode(), flush=True)
            heard[line] = b""
            os.write(line, b"heeded\\n")
"""


def test_a_line_that_waits_for_a_wrong_password_is_given_to_nobody_while_others_are_free(tmp_path):
    relay = os.path.join(ROOT, "build", "vmn-relay")
    machine = subprocess.Popen([relay, "--door", str(tmp_path), "3:tok", "--", "/usr/bin/python3", "-c", QUIET],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    visitors = []

    def say(words):
        machine.stdin.write(words)
        machine.stdin.flush()
        assert b"heeded" in machine.stdout.readline()

    def visit():
        visitors.append(subprocess.Popen([relay, "--enter", str(tmp_path)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE))
        return visitors[-1].stdout.read(6)

    try:
        say(b"")
        say(b"VMN-QUIET 2 1\n")
        assert visit() == b"line 3"
        assert visit() == b"line 2"  # better than none
        say(b"VMN-QUIET 2 0\n")
        for visitor in visitors:
            visitor.kill()
            visitor.wait()
        assert visit() in (b"line 2", b"line 3")
        assert visit() in (b"line 2", b"line 3")
    finally:
        for visitor in visitors:
            visitor.kill()
            visitor.wait()
        machine.terminate()
        machine.wait()


DEAF = """
import os, select, socket, time
line = socket.socket(socket.AF_UNIX)
line.bind("line2")
line.listen()
first = os.open("line1", os.O_RDWR | os.O_NOCTTY)
os.write(first, b"begun\\n")
line, _ = line.accept()
os.write(first, b"deaf\\n")
while not os.path.exists("hear"):
    time.sleep(0.05)
heard = b""
while select.select([line], [], [], 1)[0]:
    heard += line.recv(65536)
os.write(first, b"%d %s\\n" % (len(heard), heard.rpartition(b"tokW")[2]))
time.sleep(60)
"""


def test_a_window_that_changes_its_size_for_ever_fills_no_storage(tmp_path):
    """Nor does a machine that reads nothing miss the size it has in the end."""
    relay = os.path.join(ROOT, "build", "vmn-relay")
    machine = subprocess.Popen([relay, "--door", str(tmp_path), "1+1:tok", "--", "/usr/bin/python3", "-c", DEAF],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    visitor = None
    try:
        assert b"begun" in machine.stdout.readline()
        visitor = pexpect.spawn(relay, ["--enter", str(tmp_path)])
        assert b"deaf" in machine.stdout.readline()
        for i in range(4000):
            visitor.setwinsize(20 + i % 900, 20 + i % 900)
            time.sleep(0.0005)  # or they are one
        visitor.setwinsize(33, 77)
        (tmp_path / "hear").touch()
        length, _, last = machine.stdout.readline().partition(b" ")
        assert int(length) < 20000
        assert last == b"77,33;\n"
    finally:
        machine.terminate()
        machine.wait()
        if visitor:
            visitor.close(force=True)


def test_two_who_begin_at_once_have_one_host_key_which_nobody_else_can_change(tmp_path):
    run = [tmp_path / "run1", tmp_path / "run2"]
    fronts, said = [], []
    for place in run:
        place.mkdir()
        fronts.append(subprocess.Popen([os.path.join(ROOT, "scripts", "vmn-ssh"), free_port(), place,
                                        tmp_path / "state"], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL))
    for front in fronts:
        said.append(front.stderr.readline())
        front.terminate()
        front.wait()
    assert all(b"Server listening" in line for line in said), said
    assert sorted(os.listdir(tmp_path / "state")) == ["host_key", "host_key.pub"]
    (tmp_path / "state").chmod(0o777)
    other = subprocess.run([os.path.join(ROOT, "scripts", "vmn"), "--ssh", free_port(), "--ssh-state",
                            tmp_path / "state"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert other.returncode == 2
    assert other.stderr.startswith(b"vmn: --ssh: others may write into the folder "), other.stderr
    environment = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_STATE_HOME")}
    homeless = subprocess.run([os.path.join(ROOT, "scripts", "vmn"), "--ssh", free_port()], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert homeless.returncode == 2 and b"say --ssh-state" in homeless.stderr


ROOMY = """
import select, socket, sys
lines, taken = {}, {}
for n in range(2, 26):
    s = socket.socket(socket.AF_UNIX)
    s.bind(f"line{n}")
    s.listen()
    lines[s] = n
first = open("line1", "r+b", buffering=0)
first.write(b"begun\\n")
while True:
    for s in select.select([*lines, *taken], [], [])[0]:
        if s in lines:
            connection, _ = s.accept()
            taken[connection] = lines[s]
            connection.sendall(b"line %02d" % lines[s])
            continue
        typed = s.recv(100)
        if not typed:
            del taken[s]
            s.close()
        elif b"logon" in typed:
            print(f"VMN-SERVED {taken[s]}", flush=True)
"""


def test_who_only_waits_at_the_prompt_leaves_as_many_lines_for_other_hosts(tmp_path):
    relay = os.path.join(ROOT, "build", "vmn-relay")
    machine = subprocess.Popen([relay, "--door", str(tmp_path), "1+24", "--", "/usr/bin/python3", "-c", ROOMY],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    visitors = []

    def visit(host):
        visitors.append(subprocess.Popen([relay, "--enter", str(tmp_path)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                         env={"LOGNAME": "bob", "SSH_CONNECTION": f"{host} 4711 127.0.0.1 22"}))
        return visitors[-1].stdout.read(7).startswith(b"line")

    try:
        assert b"begun" in machine.stdout.readline()
        assert [visit("192.0.2.1") for _ in range(10)] == [True] * 9 + [False]  # of 18: six are for who has a key
        assert visitors[-1].wait(timeout=10) == 1
        assert b"every line is in use, or for others" in visitors[-1].stderr.read()
        assert visit("192.0.2.2")
        assert visit("2001:db8::1") and visit("2001:db8::2:1")
        visitors[0].stdin.write(b"logon\n")
        visitors[0].stdin.flush()
        time.sleep(0.5)
        assert visit("192.0.2.1") is False  # eight others wait, and six lines are left
        for visitor in visitors[1:3]:
            visitor.stdin.write(b"logon\n")
            visitor.stdin.flush()
        time.sleep(0.5)
        assert visit("192.0.2.1")
    finally:
        for visitor in visitors:
            visitor.kill()
            visitor.wait()
        machine.terminate()
        machine.wait()


def test_one_address_full_of_half_open_connections_keeps_no_other_out(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg")
    half = []
    try:
        for _ in range(400):
            half.append(socket.create_connection(("127.0.0.1", int(front.port)), source_address=("127.0.0.9", 0)))
        time.sleep(1)
        for _ in range(3):
            visitor = front.visit("alice")
            visitor.expect(harness.READY, timeout=60)
            visitor.type("#CP LOGOFF")
            assert status(visitor) == 0
    finally:
        for connection in half:
            connection.close()


def test_with_the_machine_its_door_and_sshd_are_gone(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg")
    bob = front.visit("bob", key=False)
    bob.expect("ENTER PASSWORD")
    front.machine.console.logon("OPERATOR")
    front.machine.console.type("CP SHUTDOWN")
    front.machine.wait(timeout=60)
    bob.child.expect(pexpect.EOF, timeout=30)
    with socket.socket() as s:
        assert s.connect_ex(("127.0.0.1", int(front.port)))


@pytest.mark.parametrize("has", [True, False], ids=["of_today", "before_9.8"])
def test_people_of_one_host_do_not_pay_for_each_others_wrong_keys(tmp_path, has):
    """An sshd that refuses where wrong keys came from would refuse everybody who comes from its own host."""
    sshd = tmp_path / "sshd"
    sshd.write_text(f"""#!/bin/sh
case $* in
-T*PerSource*) exit {0 if has else 1} ;;
-T*) exit 0 ;;
*) cp "$4" {tmp_path}/config ;;
esac
""", encoding="ascii")
    sshd.chmod(0o755)
    subprocess.run([os.path.join(ROOT, "scripts", "vmn-ssh"), "2222", str(tmp_path), str(tmp_path / "state")],
                   env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=True)
    config = (tmp_path / "config").read_text(encoding="ascii").splitlines()
    assert ("PerSourcePenaltyExemptList 127.0.0.0/8,::1/128" in config) == has
    assert "UnusedConnectionTimeout 30" in config and "ForceCommand" in "".join(config)


def test_that_its_sshd_has_ended_is_told_and_who_is_there_stays(machine, tmp_path):
    front = Front(machine, tmp_path, "tcg")
    alice = front.visit("alice")
    alice.expect(harness.READY, timeout=60)
    for process in front.machine.processes():
        with open(f"/proc/{process}/cmdline", encoding="ascii") as file:
            if "listener" in file.read():
                os.kill(process, signal.SIGKILL)
    front.machine.console.expect("vmn: sshd has ended: whoever is there stays, and nobody else can come by SSH")
    assert "ALICE" in alice.cms("CP QUERY USERID")
    assert front.piped("bob", "", key=False).returncode == 255
