"""A machine with OPERATOR on line 2 and in CP, who reads the busy ticks; what others do is at line 1."""
from record import harness

PATIENCE = 300  # seconds for anything on a loaded host: what is counted does not depend on it


class Session:
    def __init__(self, disk, env=None):
        self.machine = harness.Machine("bench-session", "--disk", disk, env=env)
        self.alice, self.operator = self.machine.line(1), self.machine.line(2)
        for line in (self.alice, self.operator):
            line.expect("Enter LOGON", timeout=PATIENCE)
        self.operator.type("LOGON OPERATOR NOIPL")
        self.operator.expect("(?i)password", PATIENCE)
        self.operator.type("vmn")
        self.operator.expect("CP> ", PATIENCE)
        self.own = 0
        first, second = self.busy(), self.busy()
        self.own = second - first  # what a look takes itself

    def busy(self):
        """Ticks in which the processor worked, since it was switched on."""
        self.operator.type("INDICATE LOAD")
        self.operator.expect(r"BUSY=(\d+) IDLE", PATIENCE)
        ticks = int(self.operator.match.group(1))
        self.operator.expect("CP> ", PATIENCE)
        return ticks

    def cost(self, deed):
        """Busy ticks of a deed."""
        before = self.busy()
        deed()
        return self.busy() - before - self.own
