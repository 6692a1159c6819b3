"""Fixtures of the system tests: machines that are switched off and swept away after the test that started them."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "long: other systems, for make test-systems alone")


def pytest_collection_modifyitems(items):
    """Machines and their logs are named after tests, of which two may run at once."""
    seen = {}
    for item in items:
        other = seen.setdefault(machine_name_of(item.name), item.nodeid)
        assert other == item.nodeid, f"one name for two tests: {other}, {item.nodeid}"


def machine_name_of(test):
    return re.sub(r"\W+", "-", test).strip("-")


@pytest.fixture
def machine_name(request):
    """Of a machine and its logs: the test's, which no other has that runs beside it."""
    return machine_name_of(request.node.name)


@pytest.fixture
def machine(machine_name):
    """machine(option, ...) starts scripts/vmn; its logs are named after the test."""
    started = []

    def start(*options, **more):
        number = f"{machine_name}-{len(started) + 1}" if started else machine_name
        started.append(harness.Machine(number, *options, **more))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def bare(machine):
    """bare("echo", option, ...) starts a payload of tests/guest in CP's place, on the bare machine."""
    return lambda payload, *options, **more: machine(*options, env={"VMN_CP": harness.guest(payload)}, **more)
