"""Fixtures of the system tests: machines that are switched off and swept away after the test that started them."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402


def pytest_collection_modifyitems(items):
    """Machines and their logs are named after tests, of which two may run at once."""
    seen = {}
    for item in items:
        other = seen.setdefault(item.name, item.nodeid)
        assert other == item.nodeid, f"one name for two tests: {other}, {item.nodeid}"


@pytest.fixture
def machine(request):
    """machine(option, ...) starts scripts/vmn; its logs are named after the test."""
    started = []
    name = re.sub(r"\W+", "-", request.node.name).strip("-")

    def start(*options, **more):
        number = f"{name}-{len(started) + 1}" if started else name
        started.append(harness.Machine(number, *options, **more))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def bare(machine):
    """bare("echo", option, ...) starts a payload of tests/guest in CP's place, on the bare machine."""
    return lambda payload, *options, **more: machine(*options, env={"VMN_CP": harness.guest(payload)}, **more)
