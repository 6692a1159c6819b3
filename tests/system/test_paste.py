"""Pasted commands on a loaded machine: each is done, once, and nothing that was typed is lost. VMN_PASTE
commands, 3000 in `make soak`."""
import os
import re
import subprocess
import threading

import harness
import pytest

COMMANDS = int(os.environ.get("VMN_PASTE", "240"))
CHUNK = 20
FILES = 30
SECONDS = 60  # for one command, where others want the processor too
EITHER = pytest.mark.parametrize("emulator", ["bochs", "tcg"])


@pytest.fixture
def busy():
    """A process that wants each processor; they end with the test, and by themselves when that is killed."""
    running = [subprocess.Popen(["timeout", "900", "sh", "-c", "while :; do :; done"]) for _ in os.sched_getaffinity(0)]
    yield
    for each in running:
        each.terminate()
    for each in running:
        each.wait()


class Script:
    """Commands that always succeed, and what they make of the disk: name -> the file's one line."""

    def __init__(self, user):
        self.user, self.files, self.made = user, {}, 0

    def command(self):
        n, self.made = self.made, self.made + 1
        name, other = f"F{n // 7 % FILES}", f"G{n // 7 % FILES}"
        text = f"{self.user} wrote {n}"
        step = n % 7
        if step == 0:
            self.files[name] = text
            return f"PIPE literal {text}| > {name} DATA A"
        if step == 1:
            self.files[other] = self.files[name]
            return f"COPYFILE {name} DATA A {other} DATA A (REPLACE"
        if step == 2:
            return f"LISTFILE {name} DATA A (DATE"
        if step == 3:
            return f"TYPE {other} DATA A"
        if step == 4:
            return f"PIPE < {other} DATA A | count lines | console"
        if step == 5:
            self.files["LAST"] = self.files[name]
            return f"COPYFILE {name} DATA A LAST DATA A (REPLACE"
        del self.files[name]
        return f"ERASE {name} DATA A"

    def commands(self, count):
        return [self.command() for _ in range(count)]


def answered(line, commands):
    """Each of them is seen, in order, and then its Ready, without a return code."""
    for command in commands:
        said = line.expect(harness.READY, SECONDS)
        assert command in said, f"{command!r} is not what was answered: {said!r}"
        assert "(" not in line.child.after, f"{command!r}: {said!r} {line.child.after!r}"


def paste(line, commands):
    line.send("".join(command + "\r" for command in commands))


def all_is_done(line, script):
    """Nothing more is answered than was asked, and every file is what the last command made of it."""
    line.type("PIPE literal all is done| console")
    line.expect("all is done\r")
    assert line.expect(harness.READY, SECONDS).strip() == ""
    for name, text in script.files.items():
        assert text in line.cms(f"TYPE {name} DATA A", SECONDS)
    counted = line.cms("PIPE cms LISTFILE * DATA A (NOHEADER | count lines | console").split("\n")[1]
    assert int(re.search(r"(\d+)", counted)[1]) == len(script.files)


@pytest.fixture
def system(machine, tmp_path):
    def start(emulator, users):
        m = machine("--machine", emulator, "--disk", harness.new_disk(tmp_path / "disk.img"),
                    "--lines", str(len(users)), clock="real")
        for number, user in enumerate(users, 1):
            m.line(number).expect("CP> ", timeout=harness.BOOT_SECONDS)
            m.line(number).logon(user, timeout=SECONDS)
        return m

    return start


@EITHER
def test_every_pasted_command_is_done_once(system, busy, emulator):
    alice, script = system(emulator, ["ALICE"]).line(1), Script("ALICE")
    while script.made < COMMANDS:
        commands = script.commands(CHUNK)
        paste(alice, commands)
        answered(alice, commands)
    all_is_done(alice, script)


@EITHER
def test_two_users_paste_at_once(system, busy, emulator):
    m = system(emulator, ["ALICE", "BOB"])
    scripts = {m.line(1): Script("ALICE"), m.line(2): Script("BOB")}
    while sum(script.made for script in scripts.values()) < COMMANDS:
        pasted = {line: script.commands(CHUNK) for line, script in scripts.items()}
        for line, commands in pasted.items():
            paste(line, commands)
        for line, commands in pasted.items():
            answered(line, commands)
    for line, script in scripts.items():
        all_is_done(line, script)


@EITHER
def test_a_paste_larger_than_every_buffer_on_its_way_is_held_back(system, emulator):
    alice, script = system(emulator, ["ALICE"]).line(1), Script("ALICE")
    # 18 KB; a terminal's queue has 16
    commands = [f"SET RDYMSG LMSG{' ' * 50}" for _ in range(270)] + script.commands(CHUNK)
    sender = threading.Thread(target=paste, args=(alice, commands))
    sender.start()
    answered(alice, [command.strip() for command in commands])
    sender.join()
    all_is_done(alice, script)


@EITHER
def test_cp_lines_in_a_paste_are_whole_and_in_order_as_its_other_lines(system, busy, emulator):
    alice, lines, cp, cms = system(emulator, ["ALICE"]).line(1), [], [], []
    for n in range(270):
        if n % 6:
            lines.append(f"SET RDYMSG LMSG{' ' * 50}")
        else:
            lines.append(f"PIPE literal {n}| >> LOG DATA A")
            cms.append(str(n))
        if n % 5 == 4:
            lines.append(f"#CP X{n}")
            cp.append(f"X{n}")
    sender = threading.Thread(target=paste, args=(alice, [*lines, "PIPE literal all is done| console"]))
    sender.start()
    said = alice.expect("all is done\r", 5 * SECONDS)
    sender.join()
    assert re.findall(r"Unknown CP command: (\S+)\r", said) == cp
    alice.expect(harness.READY)
    assert re.findall(r"^(\d+)\r", alice.cms("TYPE LOG DATA A", SECONDS), re.M) == cms


@EITHER
def test_what_is_piped_behind_a_password_arrives_whole(tmp_path, emulator):
    """A machine is made and loaded meanwhile, and Bochs' UART waits for nobody."""
    lines = [f"* line {n} of those behind" for n in range(100, 300)]
    typed = "\n".join(["LOGON ALICE", "vmn", *lines, ""]).encode()
    ended = harness.run_piped("--machine", emulator, "--disk", harness.new_disk(tmp_path / "disk.img"), data=typed)
    assert ended.returncode == 0, ended.stderr
    assert [line for line in ended.stdout.decode().splitlines() if line.startswith("*")] == lines
