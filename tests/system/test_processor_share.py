"""Shares of the processor, as the directory and SET SHARE say them."""
from functools import partial

import processor
import pytest


@pytest.mark.parametrize("emulator", ["bochs", "tcg"])
def test_users_who_want_all_get_their_shares(machine, tmp_path, emulator):
    kept = processor.kept(tmp_path, partial(machine, "--machine", emulator), 3)
    assert all(abs(part - right) < 0.03 for part, right in kept.values()), kept
