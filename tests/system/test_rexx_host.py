"""The REXX program of the root image, on this host: a CMS of a few lines answers at the other end of its device."""
import os
import socket
import subprocess
import threading

import pytest

from harness import ROOT

PROGRAM = os.path.join(ROOT, "build", "root", "cms-rexx")


class Cms:
    """The other end of /dev/cms: commands by name, files of EXECs by name, a stack."""

    def __init__(self, tmp_path, **execs):
        self.tmp, self.stack, self.asked, self.ended = tmp_path, [], [], None
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.execs = {}
        for name, text in execs.items():
            self.execs[name.upper()] = tmp_path / f"{name}.exec"
            self.execs[name.upper()].write_text(text)

    def ask(self, message):
        self.ours.send(message.encode("latin-1"))
        return self.ours.recv(70000).decode("latin-1")

    def command(self, kind, line):
        self.asked.append((kind, line))
        words = line.split()
        if words[0] == "SETVAR":
            return 0 if self.ask(f"S{len(words[1])} {words[1]} {' '.join(words[2:])}") == "V" else 1
        if words[0] == "GETVAR":
            self.asked.append(self.ask("G" + words[1]))
            return 0
        if words[0] == "PUSHED":
            self.ours.send(b"Ftwo")
            self.ours.send(b"Lone")
            return int(self.ask("Q")[1:])
        if words[0] == "TAKE":
            self.asked.append(self.ask("T"))
            return 0
        return int(words[1]) if words[0] == "RC" else -3

    def serve(self):
        while message := self.ours.recv(70000):
            kind, text = chr(message[0]), message[1:].decode("latin-1")
            if kind in "CKP":
                self.ours.send(b"R%d " % self.command(kind, text))
            elif kind == "D":
                self.ours.send(f"A0 asked {text}\n".encode())
            elif kind == "E":
                path = self.execs.get(text)
                self.ours.send(f"A0 {path}\0{text} EXEC A1".encode() if path else b"A28 ")
            elif kind == "U":
                self.ours.send(b"A0 " + self.stack.pop(0).encode() if self.stack else b"A1 ")
            elif kind in "FL":
                self.stack.insert(len(self.stack) if kind == "F" else 0, text)
                self.ours.send(b"A0 ")
            elif kind == "X":
                self.ended = int(text)
                self.ours.send(b"A0 ")

    def run(self, source, argument=None):
        path = self.tmp / "main.exec"
        path.write_text(source)
        serving = threading.Thread(target=self.serve)
        serving.start()
        words = [PROGRAM, path, "MAIN EXEC A1"] + ([argument] if argument is not None else [])
        done = subprocess.run(words, env={"CMS_DEVICE": str(self.theirs.fileno())}, pass_fds=[self.theirs.fileno()],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.theirs.close()
        serving.join()
        return done.stdout.splitlines(), done.stderr.splitlines()


@pytest.fixture
def cms(tmp_path):
    return Cms(tmp_path, ext="parse arg a, b; say 'ext' a b; parse source . how fn ft .; say how fn ft; return a + b",
               deep="push 'pushed deep'; exit arg(1)")


def test_arguments_source_and_the_return_code(cms):
    assert cms.run("parse arg a b; parse source . how fn ft fm .; say a || '-' || b how fn ft fm\nexit 1234",
                   "one two") == (["one-two COMMAND MAIN EXEC A1"], [])
    assert cms.ended == 1234


def test_source_is_still_known_once_another_program_has_ended(cms):
    assert cms.run("x = ext(1, 2); parse source . how fn ft .; say how fn ft\n'MAKEBUF'; 'DROPBUF'\n"
                   "parse upper /* all */ source all; say all; source = 5; say source") == (
        ["ext 1 2", "FUNCTION EXT EXEC", "COMMAND MAIN EXEC", "UNIX COMMAND MAIN EXEC A1", "5"], [])


def test_each_environment_gets_its_commands_and_address_says_which(cms):
    out, _ = cms.run("'RC 0'; say rc address(); address cp 'RC 5'; say rc; address command 'RC 3 x'\n"
                     "say rc; /* address command */ Address /*c*/ 'Command'; \"RC 1\"; say rc strip(address())\n"
                     "say 'address command'; address what 'RC 0'; say rc")
    assert out == ["0 CMS", "5", "3", "1 COMMAND", "address command", "-3"]
    assert cms.asked == [("C", "RC 0"), ("P", "RC 5"), ("K", "RC 3 x"), ("K", "RC 1")]


def test_errors_are_signalled_and_failures_only_are_traced(cms):
    out, traced = cms.run("'RC 4'; 'RC -3'; address system 'exit 6'; 'RC 0'; signal on error; 'RC 28'; say 'no'\n"
                          "error: say 'error' rc")
    assert out == ["error 28"]
    assert [line.split("+++")[1].strip() for line in traced if "+++" in line] == ["RC(-3)", "RC(6)"]
    assert not any("RC 4" in line for line in traced)


def test_commands_read_and_set_variables(cms):
    out, _ = cms.run("a.1 = 'first'; i = 1; 'GETVAR A.1'; 'GETVAR nosuch'; 'SETVAR LINE.2 some  text'; say rc line.2")
    assert out == ["0 some text"] and cms.asked[1] == "Vfirst" and cms.asked[3] == "N"


def test_the_stack_comes_in_goes_out_and_is_reached_by_commands(cms):
    cms.stack = ["stacked before", "and this"]
    out, _ = cms.run("say queued(); pull x; say x; 'PUSHED'; say rc queued()\n"
                     "parse pull x; say x; 'TAKE'; queue 'left'")
    assert out == ["2", "STACKED BEFORE", "3 3", "one"]
    assert cms.asked[-1] == "Vand this" and cms.stack == ["two", "left"]


def test_buffers_of_the_stack(cms):
    out, _ = cms.run("queue 'a'; 'MAKEBUF'; say rc; queue 'b'; queue 'c'; address command 'SENTRIES'; say rc\n"
                     "'DROPBUF 1'; say rc queued(); 'DESBUF'; say rc queued()")
    assert out == ["1", "3", "0 1", "0 0"] and cms.asked == []


def test_functions_are_other_execs(cms):
    out, _ = cms.run("say ext(3, 4); call ext 1, 1; say result; call deep 'x'; say result queued()\nsay nosuch(1)")
    assert out[:7] == ["ext 3 4", "FUNCTION EXT EXEC", "7", "ext 1 1", "SUBROUTINE EXT EXEC", "2", "x 1"]
    assert cms.ended == 20043


def test_cp_is_asked_by_diag(cms):
    assert cms.run("say diag(8, 'QUERY TIME')'.'; say diagrc(8, 'X')")[0] == [
        "asked QUERY TIME", ".", "        0   asked X", ""]


def test_a_wrong_program_ends_with_its_error(cms):
    cms.run("if")
    assert cms.ended == 20014


@pytest.mark.parametrize("source", ["", "\n\n", "/* only /* a */ comment */\n", " ; \n;"])
def test_a_program_of_nothing_does_nothing(cms, source):
    assert cms.run(source, "argument") == ([], []) and cms.ended == 0


def test_a_comment_that_does_not_end_is_an_error(cms):
    cms.run("/* not ended", "argument")
    assert cms.ended == 20006


def test_without_cms_commands_are_unknown(tmp_path):
    (tmp_path / "a").write_text("'LISTFILE'; say rc; queue 'x'; pull y; say y; exit 300")
    done = subprocess.run([PROGRAM, tmp_path / "a", "A EXEC A"], env={}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["-3", "X"] and done.returncode == 300 & 0xff
    assert os.path.exists(tmp_path / "a")
