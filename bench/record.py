"""The figures taken so far, and how a run of scripts/vmn is made to give one."""
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
import harness  # noqa: E402

# 1,024 small files on an empty A-disk: each command doubles them
MAKE_FILES = ["PIPE literal one line| > F FILE A", *(f"COPYFILE * * A {c}= = A" for c in "ABCDEFG"),
              *(f"COPYFILE * * A = {c}= A" for c in "ABC")]
FILES = 1024

RESULT = os.path.join(ROOT, "build", "bench.json")
figures = []


def figure(name, value, unit="instructions", floor=None, peer=None, bound=None):
    """Takes down one figure and shows it."""
    figures.append({"name": name, "value": value, "unit": unit, "floor": floor, "peer": peer, "bound": bound})
    kept = "" if bound is None else "within" if value <= bound else "BEYOND"
    print(f"{name:34} {shown(value):>14} {unit:13} {shown(floor):>10} {shown(peer):>11} {shown(bound):>11} {kept}",
          flush=True)


def wanted(name):
    """Whether the command line asks for figures that begin so: any word of it does, or goes
    on from there; or none is given."""
    return len(sys.argv) < 2 or any(name.startswith(word) or word.startswith(name) for word in sys.argv[1:])


def shown(value):
    return "-" if value is None else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def heading():
    print(f"{'figure':34} {'value':>14} {'unit':13} {'bare':>10} {'KVM':>11} {'bound':>11}")


def keep():
    """Writes them all, and says which are beyond their bounds."""
    with open(RESULT, "w", encoding="ascii") as out:
        json.dump(figures, out, indent=1)
    beyond = [f["name"] for f in figures if f["bound"] is not None and f["value"] > f["bound"]]
    broken = f", beyond their bounds: {', '.join(beyond)}" if beyond else ""
    print(f"build/bench.json: {len(figures)} figures{broken}")


def vmn(*options, machine="bochs", env=None, timeout=1200):
    """One run of scripts/vmn with pipes; its output and what its emulator said."""
    with tempfile.NamedTemporaryFile() as log:
        done = subprocess.run([harness.VMN, "--machine", machine, "--cpu-clock", "fast", "--log", log.name, *options],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False,
                              env={**os.environ, **(env or {})})
        said = open(log.name, encoding="latin-1").read()
    out = done.stdout.decode("latin-1").replace("\r", "")
    if done.returncode:
        raise SystemExit(f"bench: vmn {' '.join(options)} ended with {done.returncode}:\n{out}{done.stderr.decode()}")
    return out, said


def costs(text):
    """{operation: least cost} of the R lines."""
    return {name: int(least) for name, least in re.findall(r"^R (\w+) min=(\d+)", text, re.M)}
