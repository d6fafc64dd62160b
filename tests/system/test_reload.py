# SPDX-License-Identifier: ISC
"""What a reload takes over: also what was taken out of the file, certificates
in the file's order, and nothing of what only a restart may change."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess

import pytest

from server import BUILD, Server, wait_for

CERTIFICATE = 'certificate "mail.example.test"'


@pytest.fixture(scope="module")
def server():
    s = Server({"directory": {"routes": ["far.test=127.0.0.1:9"]}})
    try:
        s.start()
        yield s
    finally:
        s.remove()


@pytest.fixture(autouse=True)
def as_before(server):
    """Each test leaves the configuration as it found it."""
    was = server.conf.read_text()
    yield
    server.conf.write_text(was)
    server.command("reload", check=False)


def edit(server, change, check=True):
    server.conf.write_text(change(server.conf.read_text()))
    return server.command("reload", check=check)


def test_last_option_of_a_section_is_deleted(server):
    way = lambda: json.loads(server.command("--json", "address", "test", "x@far.test").stdout)[-1]["nexthop"]
    assert way() == "smtp:127.0.0.1:9"
    edit(server, lambda t: re.sub(r"directory \{.*?\n\}\n", "", t, flags=re.S))
    assert way() == "mx:far.test"


# ---- certificates ----

def make_certificate(server, name):
    run = lambda *a: subprocess.run(["openssl", *a], cwd=server.folder, check=True,
                                    capture_output=True)
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
        f"{name}.pem", "-addext", f"subjectAltName=DNS:{name}")


def section(server, name):
    return (f'certificate "{name}" {{\n\tchain = "{server.folder}/{name}.pem"\n'
            f'\tkey = "{server.folder}/{name}.key"\n}}\n')


def told(server, name=None):
    """The common name of the certificate that a client is shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", server.ports["imaps"]), 10) as raw, \
            context.wrap_socket(raw, server_hostname=name) as c:
        pem = ssl.DER_cert_to_PEM_cert(c.getpeercert(binary_form=True))
    subject = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem, text=True,
                             capture_output=True, check=True).stdout
    return subject.strip().split("CN = ")[1]


def test_certificates_follow_the_file(server):
    for name in ("one.test", "two.test"):
        make_certificate(server, name)
    keys = lambda: {r["keys"] for r in server.status() if r["role"].startswith("keys")}
    was = server.conf.read_text()
    both = section(server, "one.test") + section(server, "two.test")
    assert told(server) == "mail.example.test"
    assert edit(server, lambda t: t + both).stdout.strip() == "reloaded"
    assert keys() == {3}
    assert (told(server), told(server, "one.test"), told(server, "two.test")) == \
        ("mail.example.test", "one.test", "two.test")
    # The first of the file is shown to who names none.
    edit(server, lambda _: section(server, "two.test") + was + section(server, "one.test"))
    assert (told(server), told(server, "one.test"), told(server, "mail.example.test")) == \
        ("two.test", "one.test", "mail.example.test")
    # What the file no longer names is shown to nobody, and its key is gone.
    edit(server, lambda _: was + section(server, "one.test"))
    assert (told(server), told(server, "one.test"), told(server, "two.test")) == \
        ("mail.example.test", "one.test", "mail.example.test")
    assert keys() == {2}
    # It may come back.
    edit(server, lambda _: was + section(server, "two.test"))
    assert (told(server, "one.test"), told(server, "two.test")) == \
        ("mail.example.test", "two.test")


def test_no_certificate_is_left(server):
    edit(server, lambda t: re.sub(re.escape(CERTIFICATE) + r" \{.*?\n\}\n", "", t, flags=re.S))
    with server.smtp() as c:
        c.ehlo()
        assert not c.has_extn("starttls")


# ---- what waits for a restart ----

def test_restart_options_keep_their_value(server):
    uid = lambda: json.loads(server.command("--json", "account", "show",
                                            "alice@example.test").stdout)[0]["uid"]
    before, pid = uid(), server.pids("directory")[0]
    p = edit(server, lambda t: t.replace("server {", "server {\n\tuid_base = 300000")
             .replace("smtpd {", "smtpd {\n\tgreeting = \"taken over\""), check=False)
    assert p.returncode == 1 and p.stderr == "veredus: server.uid_base needs a restart\n"
    assert "server.uid_base needs a restart" in \
        [line for line in server.log.read_text().splitlines() if "event=reloaded" in line][-1]
    # A role that is started anew has what its peers have …
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: (now := server.pids("directory")) and now != [pid], 20)
    wait_for(server.is_ready)
    assert uid() == before
    # … and what a reload does change was taken all the same.
    with socket.create_connection(("127.0.0.1", server.ports["smtp"]), 10) as c:
        assert b"taken over" in c.recv(1000)
    assert server.command("reload", check=False).returncode == 1


def test_lower_template_uses(server):
    """Below what the template has served already: it ends with the next one."""
    for user in ("alice", "bob"):
        server.imap(user).logout()
    was = server.pids("template")
    edit(server, lambda t: t + "mailbox {\n\ttemplate_uses = 1\n}\n")
    server.imap("carol").logout()
    wait_for(lambda: (now := server.pids("template")) and now != was)


def test_reload_of_roles_without_tls():
    s = Server()
    try:
        s.process = subprocess.Popen(
            [BUILD / "master/veredusd", "-c", s.conf, "-L", s.libexec, "-o", "directory,auth"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: len(rows := json.loads(
            s.command("status", "--json", check=False).stdout or "[]")) == 3
            and all(r.get("state", "ready") == "ready" for r in rows))
        assert s.command("reload").stdout.strip() == "reloaded"
        assert s.process.poll() is None
    finally:
        s.remove()
