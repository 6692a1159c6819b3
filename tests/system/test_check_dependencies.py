"""scripts/check-dependencies finds each kind of breach, and nothing in a clean tree."""
import os
import runpy
import subprocess

import pytest

from harness import ROOT

CLEAN = {
    "lib/format.h": "#pragma once\n#include <stddef.h>\n",
    "vmcs-shadow/field.h": "#pragma once\n#include <stdint.h>\n",
    "nest/merge.c": '#include "vmcs-shadow/field.h"\n#include "lib/format.h"\n',
    "cp/cpu/port.h": '#pragma once\nstatic inline void port_wait(void) { __asm__ volatile("pause"); }\n',
    "cp/driver/uart.c": '#include "cp/cpu/port.h"\n/* asm is not spoken here */\nconst char *says = "asm";\n',
    "cms/driver/cp.c": '#include "cp/diagnose.h"\n',
    "cp/diagnose.h": "#pragma once\n",
    "images/tool.c": "#include <stdio.h>\n",
}


def check(root, files):
    for path, text in files.items():
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_text(text)
    done = subprocess.run([os.path.join(ROOT, "scripts", "check-dependencies"), str(root)], capture_output=True,
                          text=True)
    return done.returncode, done.stdout.splitlines()[:-1]


def test_a_clean_tree_passes(tmp_path):
    assert check(tmp_path, CLEAN) == (0, [])


@pytest.mark.parametrize("path, text, reason", [
    ("vmcs-shadow/a.c", '#include "nest/b.h"\n', "vmcs-shadow may not include nest/b.h"),
    ("nest/a.c", '#include "cp/diagnose.h"\n', "nest may not include cp/diagnose.h"),
    ("cms/kernel/a.c", '#include "cp/device/b.h"\n', "cms/kernel may not include cp/device/b.h"),
    ("cms/kernel/a.c", '#include "cms/file/b.h"\n', "cms/kernel may not include cms/file/b.h"),
    ("cp/device/a.c", '#include "tests/c.h"\n', "cp/device may not include tests/c.h"),
    ("cp/device/a.c", '#include "cp/cpu/port.h"\n', "cp/device may not include cp/cpu/port.h"),
    ("cp/device/a.c", '#include "cp/session/d.h"\n', "cp/device may not include cp/session/d.h"),
    ("cp/vcpu/a.c", '#include "cp/cpu/vcpu_fast.h"\n', "cp/vcpu may not include cp/cpu/vcpu_fast.h"),
    ("cp/device/a.c", '#include "b.h"\n', '"b.h" is not a path from the root'),
    ("cp/device/a.c", "#include <stdio.h>\n", "<stdio.h> is not freestanding"),
    ("cp/device/a.c", 'void f(void) { asm("nop"); }\n', "inline assembly outside"),
    ("cp/driver/a.c", 'void f(void) { __asm__("nop"); }\n', "inline assembly outside"),
    ("cp/device/a.S", "nop\n", "assembly outside"),
    ("lib/a.c", "\n" * 501, "501 lines"),
    ("lib/a.c", f"/* {'x' * 115} */\n", "121 columns"),
    ("scripts/a.py", f"# {'x' * 119}\n", "121 columns"),
    ("scripts/a", f"#!/bin/sh\n# {'x' * 119}\n", "121 columns"),
    ("lib/a.h", "#pragma once\nuint32_t f(void);\n", "does not compile alone"),
    ("elsewhere/a.c", "\n", "outside every room"),
])
def test_a_breach_is_found(tmp_path, path, text, reason):
    headers = {name: "#pragma once\n" for name in ("nest/b.h", "cp/device/b.h", "cp/session/d.h", "cp/cpu/vcpu_fast.h",
                                                   "cms/file/b.h", "tests/c.h")}
    status, said = check(tmp_path, {**CLEAN, **headers, path: text})
    assert status == 1
    assert len(said) == 1 and said[0].startswith(path) and reason in said[0]


RULES = runpy.run_path(os.path.join(ROOT, "scripts", "check-dependencies"))


def test_a_row_that_names_a_room_above_it_is_found():
    check_floors = RULES["check_floors"]
    assert list(check_floors({"roof": ["cellar"], "cellar": ["roof"]})) == ["cellar: roof does not stand below it"]
    assert list(check_floors({"roof": ["attic"]})) == ["roof: attic does not stand below it"]


def test_a_permission_that_nobody_uses_is_found():
    files = {"cp/device/a.c": '#include "cp/storage/b.h"\n', "cp/storage/b.h": ""}
    assert list(RULES["check_unused"](files)) == [
        f"scripts/check-dependencies: cp/device includes nothing of {room}"
        for room in ("cp/network", "cp/time", "nest")]


def test_an_include_cycle_is_found(tmp_path):
    loop = {"lib/a.h": '#pragma once\n#include "lib/b.h"\n', "lib/b.h": '#pragma once\n#include "lib/a.h"\n'}
    status, said = check(tmp_path, {**CLEAN, **loop})
    assert status == 1
    assert said == ["include cycle: lib/a.h -> lib/b.h -> lib/a.h"]
