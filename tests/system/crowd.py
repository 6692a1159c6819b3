"""Volumes of many users: the sample directory and a pool of CMS users who have MAINT's 190, and entries one by one."""
import os
import re
import subprocess

import harness

USERS_MOST = 10240  # DIRECTORY_USERS
SLOT_BYTES = 65496  # VOLUME_DIRECTORY_MAX
SAMPLE_USERS = 4
PASSWORD = r'password = "(\$6\$rounds=1000\$vmn.alice\$[^"]*)"'


def directory_text(pool, singles=0):
    """The sample directory with a pool of so many more, MNY00001 and on, and of singles, ONE00001 and on; they come
    first. All have ALICE's password."""
    with open(harness.DIRECTORY, encoding="utf-8") as source:
        text = source.read()
    password = re.search(PASSWORD, text).group(1)
    one = f'password = "{password}"; classes = "G"; storage = <32>; ipl = "CMS"; xautolog = "OPERATOR";'
    link = 'link@190 { user = "MAINT"; vdev = <0x190>; };'
    more = f"MNY {{ {one} pool = <1 {pool}>; {link} }};\n" if pool else ""
    more += "".join(f"ONE{number:05} {{ {one} {link} }};\n" for number in range(1, singles + 1))
    return re.sub(r"(\n    users \{\n)", lambda m: m.group(1) + more, text, count=1)


def compiled(place, text):
    """The file a directory's blob is in."""
    blob = os.path.join(place, "many.dtb")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", blob], input=text.encode(), check=True)
    return blob


def disk_with(place, text):
    """A fresh volume that has that directory."""
    disk = harness.new_disk(os.path.join(place, "disk.img"))
    subprocess.run([os.path.join(harness.ROOT, "build", "mkimage"), "--replace-directory", disk, "--directory",
                    compiled(place, text)], check=True, stdout=subprocess.DEVNULL)
    return disk


def full_directory(place):
    """The text of one that has as many users as there may be, in as many bytes as a slot holds."""
    sizes = [os.path.getsize(compiled(place, directory_text(1, singles))) for singles in (0, 100)]
    singles = (SLOT_BYTES - sizes[0]) * 100 // (sizes[1] - sizes[0])
    return directory_text(USERS_MOST - SAMPLE_USERS - singles, singles)
