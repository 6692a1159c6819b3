"""A directory of ten thousand users: mkimage and CP take it, at the start and while people work, one more is refused by
path and reason, and one far behind in it logs on as one of few does."""
import os
import re
import subprocess

import crowd
import harness
import pytest

MKIMAGE = os.path.join(harness.ROOT, "build", "mkimage")


def refused(place, text):
    image = os.path.join(place, "refused.img")
    done = subprocess.run([MKIMAGE, image, "--directory", crowd.compiled(place, text)], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 2 and not os.path.exists(image)
    return done.stdout.decode()


def test_mkimage_says_where_users_are_too_many(tmp_path):
    most = crowd.USERS_MOST - crowd.SAMPLE_USERS
    said = refused(tmp_path, crowd.directory_text(most + 1))
    assert "/users/BOB is one user too many for this CP" in said
    said = refused(tmp_path, crowd.directory_text(crowd.USERS_MOST + 1))
    assert "/users/MNY/pool has more users than this CP keeps" in said
    assert f"is longer than a directory slot, {crowd.SLOT_BYTES} bytes" in refused(tmp_path,
                                                                                    crowd.directory_text(0, 1000))


@pytest.mark.parametrize("emulator", ["tcg"])
def test_one_of_ten_thousand_logs_on_and_the_directory_is_replaced_meanwhile(machine, tmp_path, emulator):
    text = crowd.full_directory(tmp_path)
    disk = crowd.disk_with(tmp_path, text)
    checked = subprocess.run([MKIMAGE, "--check", disk], stdout=subprocess.PIPE, check=True).stdout.decode()
    assert f"{crowd.USERS_MOST} users, 6 minidisks" in checked
    m = machine("--disk", disk, "--lines", "2", "--machine", emulator)
    line, other = m.line(1), m.line(2)
    line.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    other.expect("Enter LOGON", timeout=harness.BOOT_SECONDS)
    line.logon("MNY09000")
    assert "DASD 0190" in line.cms("CP QUERY VIRTUAL 190")
    line.cms("CP LINK MAINT 190 290 RR")  # which its entry lets it
    assert line.code == 0
    line.cms("CP MSG MNY08999 HELLO")
    assert line.code == 45  # known, and not logged on

    other.logon("MAINT")
    other.cms("DIRECTXA (GET")
    assert other.code == 0
    assert f"DIRECTORY REPLACED: {crowd.USERS_MOST} USERS" in other.cms("DIRECTXA")
    pool = re.search(r"pool = (<.*?>)", text).group(1)
    other.cms(f"PIPE < USER DIRECT A| change ?{pool}?<1 {crowd.USERS_MOST}>?| > USER DIRECT A")
    said = other.cms("DIRECTXA")
    assert "HCPDIR9031W /users/" in said and "is one user too many for this CP" in said, said
    assert other.code == 9035
    assert "DASD 0190" in line.cms("CP QUERY VIRTUAL 190")
