"""On this host: what a list makes of what was typed in it (list.the, by Regina), and the program cms, at whose device a
CMS of a few lines answers."""
import os
import re
import socket
import subprocess
import threading

from harness import ROOT

MACRO = os.path.join(ROOT, "images", "root", "etc", "list.the")
PROGRAM = os.path.join(ROOT, "build", "root", "cms")
FILE, SPOOLED = "ALPHA DATA A1", "0007 ALPHA DATA BOB"


def routines(*names):
    """Procedures of the macro."""
    with open(MACRO, encoding="utf-8") as file:
        text = file.read()
    return "".join(re.search(rf"^{name}: procedure.*?^return [^\n]*\n(?!  )(?=\n)", text, re.M | re.S)[0] + "\n"
                   for name in names)


def rexx(tmp_path, program, lines):
    path = tmp_path / "try.rexx"
    path.write_text(program)
    done = subprocess.run(["regina", str(path)], input="".join(line + "\n" for line in lines), capture_output=True,
                          text=True, timeout=60, check=True)
    assert not done.stderr
    return done.stdout.splitlines()[:len(lines)]


def obeyed(tmp_path, filelist, names, typed):
    program = (f"filelist = {int(filelist)}\ndo while lines() > 0\n  parse pull typed\n"
               f"  say with_names(translated(typed), '{names}')\nend\nexit\n")
    return rexx(tmp_path, program + routines("translated", "with_names"), typed)


TYPED = [
    ("type", "type ALPHA DATA A1"),
    ("erase (type", "erase ALPHA DATA A1 (type"),
    ("copyfile / = old =", "copyfile ALPHA DATA A1 = old ="),
    ("rename / /N /t b", "rename ALPHA DATA A1 ALPHA DATA b"),
    ("listfile /nt *", "listfile ALPHA DATA *"),
    ("execio 1 diskr /ntm (stem x.", "execio 1 diskr ALPHA DATA A1 (stem x."),
    ("query disk /m", "query disk A1"),
    ("query time /o", "query time"),
    ("access 192 b/a /o", "access 192 b/a"),
    ("pipe < / | locate /abc/ | console", "pipe < ALPHA DATA A1 | locate /abc/ | console"),
    ("cat /a/x /tmp/y /o", "cat /a/x /tmp/y"),
    ("discard", "ERASE ALPHA DATA A1"),
    ("discard x", "discard x ALPHA DATA A1"),
]
TYPED_AT_THE_READER = [
    ("peek", "peek 0007"),
    ("receive / new name a (replace", "receive 0007 new name a (replace"),
    ("receive (replace", "receive 0007 (replace"),
    ("tell /u thanks for /nt", "tell BOB thanks for ALPHA DATA"),
    ("discard", "CP PURGE RDR 0007"),
    ("transfer maint", "CP TRANSFER RDR 0007 TO MAINT"),
    ("transfer to maint", "CP TRANSFER RDR 0007 TO MAINT"),
]


def test_symbols_stand_for_the_file(tmp_path):
    assert obeyed(tmp_path, True, FILE, [typed for typed, _ in TYPED]) == [command for _, command in TYPED]
    assert obeyed(tmp_path, False, SPOOLED, [typed for typed, _ in TYPED_AT_THE_READER]) == [
        command for _, command in TYPED_AT_THE_READER]


SHOWN = "         DATA     TEXT     A1 V"
DONE = "*28      DATA     TEXT     A1 V"


TYPED_OVER = [  # the line as listed, as it is now, the column behind what was typed (0: not known), the command
    (SHOWN, "TYPE     DATA     TEXT     A1 V", 0, "TYPE"),
    (SHOWN, "   TYPE  DATA     TEXT     A1 V", 0, "TYPE"),
    (SHOWN, "DISCARD  DATA     TEXT     A1 V", 0, "DISCARD"),
    (SHOWN, "copy / = B DATA   TEXT     A1 V", 0, "copy / = B DATA"),
    (SHOWN, "copyfile / = = B  TEXT     A1 V", 0, "copyfile / = = B"),
    (SHOWN, "copyfile / = X TE TEXT     A1 V", 0, "copyfile / = X TE"),
    (SHOWN, "RECEIVE /D", 10, "RECEIVE /D"),
    (SHOWN, "TYPE         DATA     TEXT     A1 V", 0, "TYPE"),                # inserted
    (SHOWN, "copyfile / = = B         DATA     TEXT     A1 V", 0, "copyfile / = = B"),
    (DONE, "TYPE     DATA     TEXT     A1 V", 0, "TYPE"),
    (DONE, "=28      DATA     TEXT     A1 V", 0, "="),
    (DONE, "TYPE*28      DATA     TEXT     A1 V", 0, "TYPE"),
    (SHOWN, SHOWN, 0, ""),
]


def test_what_was_typed_over_a_line_is_the_command(tmp_path):
    program = ("do while lines() > 0\n  parse pull listed\n  parse pull seen\n  parse pull column\n"
               "  say '<'typed_over(left(seen, max(80, length(seen))), left(listed, 80), column)'>'\nend\nexit\n")
    lines = [str(part) for row in TYPED_OVER for part in row[:3]]
    said = rexx(tmp_path, program + routines("typed_over"), lines)
    assert said[:len(TYPED_OVER)] == [f"<{row[3]}>" for row in TYPED_OVER]


# ---- the program cms ---------------------------------------------------------------------------------------------


def cms(*words, told=(), rc=0, stdin=None):
    """Runs it; what was asked of CMS, which tells these messages first."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asked = []

    def serve():
        while message := ours.recv(70000):
            asked.append(message.decode("latin-1"))
            if message[:1] in b"OS":
                for text in told:
                    ours.send(text.encode("latin-1"))
                    if text[0] in "GTQ":
                        asked.append(ours.recv(70000).decode("latin-1"))
                ours.send(b"R%d " % rc)
            else:
                ours.send(b"A0 ")

    serving = threading.Thread(target=serve)
    serving.start()
    done = subprocess.run([PROGRAM, *words], env={"CMS_DEVICE": str(theirs.fileno())}, pass_fds=[theirs.fileno()],
                          input=stdin, capture_output=True, text=True, timeout=60)
    theirs.close()
    serving.join()
    return asked, done


def test_a_command_is_obeyed_and_what_it_shows_is_written():
    asked, done = cms("listfile", "*", "exec", told=["OA EXEC A1", "o" + "x" * 10, "O" + "y" * 5, "O"])
    assert asked == ["Olistfile * exec"]
    assert done.stdout == "A EXEC A1\nxxxxxxxxxxyyyyy\n\n" and done.returncode == 0


def test_the_return_code_is_the_exit_status_or_the_first_line():
    assert [cms("x", rc=rc)[1].returncode for rc in (0, 28, 255, 256, 20004, -3)] == [0, 28, 255, 255, 255, 255]
    _, done = cms("-r", "x", rc=-3, told=["Osaid"])
    assert (done.stdout, done.returncode) == ("-3\nsaid\n", 0)


def test_the_command_may_come_as_a_line_and_be_shown_by_cms():
    asked, done = cms("-s", "-r", stdin="type a 'b' $c\nno more\n")
    assert (asked, done.stdout) == (["Stype a 'b' $c"], "0\n")


def test_what_is_stacked_meanwhile_is_there_for_the_command_and_cms_afterwards():
    asked, _ = cms("x", told=["Ftwo", "Lone", "Q", "T", "Fthree", "Gvariable"])
    assert asked == ["Ox", "V2", "Vone", "N", "Ftwo", "Fthree"]


def test_without_its_device_it_says_so():
    done = subprocess.run([PROGRAM, "x"], env={"CMS_DEVICE": "77"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 255 and "CMS cannot be asked" in done.stderr
