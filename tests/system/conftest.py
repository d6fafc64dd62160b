# SPDX-License-Identifier: ISC
"""Fixtures, and the rule that a skip must have its reason in skips.txt."""

import fnmatch
import pathlib

import pytest

from server import Server

SKIPS = [line.split("#")[0].strip()
         for line in (pathlib.Path(__file__).parent / "skips.txt").read_text().splitlines()]
SKIPS = [s for s in SKIPS if s]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not any(fnmatch.fnmatch(item.nodeid, s) for s in SKIPS):
        report.outcome = "failed"
        report.longrepr = f"skipped, but not in tests/system/skips.txt: {report.longrepr}"


@pytest.fixture(scope="module")
def server():
    """One server for all tests of a file."""
    s = Server()
    try:
        s.start()
        yield s
    finally:
        s.remove()


@pytest.fixture
def own_server():
    """A server for one test, made by calling it with options."""
    made = []

    def make(*args, **kw):
        s = Server(*args, **kw)
        made.append(s)
        return s.start()

    yield make
    for s in made:
        s.remove()
