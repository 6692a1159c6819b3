"""What a person sees on a line when programs have the whole screen: a terminal of our own (pyte)."""
import re
import time

import pexpect
import pyte


class Screen:
    """A terminal on the line, of the size that the line has. What pyte does not know, scrolling by a number of lines
    and repeating a character, is given to it as lines and characters."""

    def __init__(self, line):
        self.line = line
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.Stream(self.screen)
        self.held = self.last = ""

    def text(self):
        return "\n".join(row.rstrip() for row in self.screen.display)

    def feed(self, data):
        data, self.held = self.held + data, ""
        cut = data.rfind("\x1b")
        if cut >= 0 and re.fullmatch(r"\x1b(\[[\d;?]*)?", data[cut:]):
            data, self.held = data[:cut], data[cut:]
        data = re.sub(r"^\x1b\[(\d+)b", lambda m: self.last * int(m[1]), data)
        self.last = data[-1:] or self.last
        data = re.sub(r"(.)\x1b\[(\d+)b", lambda m: m[1] * (int(m[2]) + 1), data)
        for piece in re.split(r"(\x1b\[\d*[ST])", data):
            scroll = re.fullmatch(r"\x1b\[(\d*)([ST])", piece)
            if scroll:
                top, bottom = self.screen.margins or (0, 23)
                up = scroll[2] == "S"
                lines = ("\x1bD" if up else "\x1bM") * int(scroll[1] or 1)
                piece = f"\x1b7\x1b[{(bottom if up else top) + 1};1H{lines}\x1b8"
            self.stream.feed(piece)

    def wait(self, wanted, seconds=30):
        end = time.monotonic() + seconds
        while not wanted(self.text()):
            assert time.monotonic() < end, self.text()
            try:
                self.feed(self.line.child.read_nonblocking(65536, 0.1))
            except pexpect.TIMEOUT:
                pass

    def shows(self, wanted, seconds=30):
        self.wait(lambda text: wanted in text, seconds)

    def type(self, command, wanted):
        self.line.send(command + "\r")
        self.shows(wanted)

    def row(self, wanted):
        """The number of the first row that has the text, 0 being the top one; None: none has."""
        return next((i for i, row in enumerate(self.screen.display) if wanted in row), None)

    def keys(self, *keys):
        """Keys by their names, and text."""
        for key in keys:
            self.line.send(KEYS.get(key, key))


KEYS = {"Enter": "\r", "Up": "\x1bOA", "Down": "\x1bOB", "Right": "\x1bOC", "Left": "\x1bOD",
        "F1": "\x1bOP", "F2": "\x1bOQ", "F3": "\x1bOR", "F4": "\x1bOS", "F5": "\x1b[15~", "F6": "\x1b[17~",
        "F7": "\x1b[18~", "F8": "\x1b[19~", "F9": "\x1b[20~", "F11": "\x1b[23~", "F12": "\x1b[24~"}
