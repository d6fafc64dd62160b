# SPDX-License-Identifier: ISC
"""Compares our MIME structure parser with Python's email package.

The messages are the test data of Python itself (Debian: libpython3.11-testsuite)
and the samples of SpamAssassin, each as it lies, with LF and with CRLF. VD_BUILD
names the build folder (default: the current one), VD_MAIL more folders with
messages, separated by colons.

Run with: VD_BUILD=... python3 -m pytest tests/system/test_mime_compare.py
"""
import email
import email.policy
import glob
import os
import re
import subprocess

import pytest

DUMP = os.path.join(os.environ.get("VD_BUILD", "."), "tests/tools/mime_dump")
FOLDERS = [
    "/usr/lib/python3*/test/test_email/data/msg_*.txt",
    "/usr/share/doc/spamassassin/examples/sample-*.txt",
] + [f + "/*" for f in os.environ.get("VD_MAIL", "").split(":") if f]
FILES = sorted(f for g in FOLDERS for f in glob.glob(g) if os.path.isfile(f))

pytestmark = pytest.mark.skipif(
    not os.path.exists(DUMP), reason="mime_dump is not built")

# Where we differ on purpose, and why. A file listed here must differ, so that
# the list stays true.
EXPECTED = {
    "msg_15.txt": "a multipart within one of the same boundary: we let the "
                  "innermost have it, Python the outermost, which then has "
                  "an empty multipart",
    "msg_19.txt": "a line that is no field: Python ends the header there, we "
                  "at the blank line, as IMAP servers do",
    "msg_35.txt": "as msg_19.txt",
    "msg_36.txt": "message/external-body has no message in it that IMAP could "
                  "show (RFC 2046 5.2.3, RFC 9051 9 body-type-msg)",
    "msg_37.txt": "two boundary lines in a row: an empty part for us (RFC 2046 "
                  "5.1.1 body-part), nothing for Python",
    "msg_38.txt": "as msg_19.txt, in a part that a boundary in its text made",
    "msg_39.txt": "as msg_15.txt, three times",
}


def ours(data, *options):
    return subprocess.run([DUMP, *options], input=data, check=True,
                          stdout=subprocess.PIPE).stdout


def our_tree(data):
    """[(depth, kind, type, encoding, header, body)] of all parts."""
    tree = []
    for line in ours(data).decode("latin-1").splitlines():
        m = re.fullmatch(r"(\d+) (\w+) (\S+) (.*) (\d+)\+(\d+) (\d+)\+(\d+)"
                         r" (\d+) (\d+)", line)
        h, hn, b, bn = (int(m[i]) for i in range(5, 9))
        assert b + bn <= len(data)
        served = data[b:b + bn].replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        assert int(m[9]) == len(served)
        assert int(m[10]) == served.count(b"\n")
        tree.append((int(m[1]), m[2], m[3].lower(), m[4].lower(),
                     data[h:h + hn], data[b:b + bn]))
    return tree


def shape(tree):
    return [t[:4] for t in tree]


def python_tree(msg, depth=0):
    """The same of a message as Python's email package sees it."""
    encoding = msg.get("content-transfer-encoding", "-")
    encoding = str(encoding).split(";")[0].strip().lower()
    kind, children = "leaf", []
    if msg.is_multipart():
        children = msg.get_payload()
        kind = msg.get_content_maintype()
    elif msg.get_content_maintype() == "multipart":
        kind = "opaque"
    if msg.get_content_type() == "message/delivery-status":
        kind, children = "leaf", []  # blocks of fields, not parts
    body = None
    if kind == "leaf" and isinstance(msg.get_payload(), str):
        body = msg.get_payload().encode("utf-8", "surrogateescape")
    tree = [(depth, kind, msg.get_content_type(), encoding, None, body)]
    for child in children:
        tree += python_tree(child, depth + 1)
    return tree


def variants():
    for f in FILES:
        for how in ("as it is", "LF", "CRLF"):
            yield pytest.param(f, how, id=f"{os.path.basename(f)}-{how}")


def load(path, how):
    with open(path, "rb") as f:
        data = f.read()
    if data.startswith(b"From ") and b"\n" in data:
        data = data.split(b"\n", 1)[1]  # an mbox line is no part of a message
    if how != "as it is":
        data = data.replace(b"\r\n", b"\n")
    if how == "CRLF":
        data = data.replace(b"\n", b"\r\n")
    return data


@pytest.mark.parametrize("path,how", variants())
def test_structure(path, how):
    data = load(path, how)
    mine = our_tree(data)
    theirs = python_tree(email.message_from_bytes(
        data, policy=email.policy.compat32))
    same = shape(mine) == shape(theirs)
    if same:
        same = all(p is None or p == m for m, p in
                   zip((t[5] for t in mine), (t[5] for t in theirs)))
    name = os.path.basename(path)
    if name in EXPECTED:
        assert not same, f"{name} no longer differs: {EXPECTED[name]}"
    else:
        assert shape(mine) == shape(theirs)
        assert same, [(m[2], m[5], p[5]) for m, p in zip(mine, theirs)
                      if p[5] is not None and p[5] != m[5]]


@pytest.mark.parametrize("path,how", variants())
def test_same_for_all_line_ends(path, how):
    """LF or CRLF: IMAP serves the same structure."""
    data = load(path, how)
    if b"\r" in load(path, "LF"):
        pytest.skip("has bare CR")
    crlf = load(path, "CRLF")
    assert ours(data, "-b") == ours(crlf, "-b")
    assert ours(data, "-e") == ours(crlf, "-e")
    assert shape(our_tree(data)) == shape(our_tree(crlf))


def test_there_are_messages():
    if not FILES:
        pytest.skip("no sample messages are installed")
    assert len(FILES) > 40
