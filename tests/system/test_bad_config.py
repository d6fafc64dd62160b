# SPDX-License-Identifier: ISC
"""Wrong configurations: refused with exit 78 and a sentence that has file,
line and what was expected, by `veredusd -t` and `veredus config check` alike.
And what is only seen at the start: taken ports, folders of somebody else,
certificates that do not match their key, a second server."""

import os
import re
import shutil
import socket
import subprocess

import pytest

from server import BUILD, ROOT, Server, wait_for

EX_CONFIG, EX_TEMPFAIL = 78, 75


def check(path):
    """Both checkers: exit status and what they said."""
    daemon = subprocess.run([BUILD / "master/veredusd", "-t", "-c", path],
                            capture_output=True, text=True, timeout=30)
    command = subprocess.run([BUILD / "master/veredus", "-c", path, "config", "check"],
                             capture_output=True, text=True, timeout=30)
    assert daemon.returncode == command.returncode
    assert daemon.stderr == command.stderr
    return daemon.returncode, daemon.stderr


@pytest.mark.parametrize("text,line,want", [
    ('smtp {\n}', 2, 'no section or option "smtp" here; did you mean "smtpd"?'),
    ('frobnicate {\n}', 2, 'no section or option "frobnicate" here\n'),
    ('hostname = "x"', 2, 'no section or option "hostname" here'),
    ('smtpd {\n\tgreetin = "x"\n}', 3,
     'section smtpd has no option "greetin"; did you mean "greeting"?'),
    ('queue {\n\tretrymin = "1m"\n}', 3, 'did you mean "retry_min"?'),
    ('access {\n\timap4 = {"*:143"}\n}', 3, 'did you mean "imap"?'),
    ('server {\n\tprocesses = "many"\n}', 3,
     'processes is "many", but must be a whole number'),
    ('server {\n\tprocesses = "65"\n}', 3, "but must lie between 0 and 64"),
    ('server {\n\tprocesses = "-1"\n}', 3, "but must lie between 0 and 64"),
    ('server {\n\tprocesses = "99999999999999999999"\n}', 3, "must be a whole number"),
    ('server {\n\tsandbox = "maybe"\n}', 3, "sandbox"),
    ('server {\n\tlog_level = "loud"\n}', 3, "log_level"),
    ('smtpd {\n\tmessage_size = "50 pounds"\n}', 3, "a size such as 512, 64K, 50M or 2G"),
    ('smtpd {\n\tmessage_size = "1"\n}', 3, "must lie between 65536"),
    ('queue {\n\tretry_min = "5 parsecs"\n}', 3, "a time such as 30s, 5m, 2h or 5d"),
    ('smtpd {\n\ttls = "perhaps"\n}', 3, "must be yes or no"),
    ('smtpd {\n\tgreeting = "a"\n\tgreeting = "b"\n}', 4,
     "greeting stands twice in section smtpd"),
    ('smtpd {\n\tlisten = {"127.0.0.1"}\n}', 3, "is not an address with a port, such as"),
    ('smtpd {\n\tlisten = {"*:99999"}\n}', 3, "is not an address with a port, such as"),
    ('access {\n\timaps = {"localhost:imaps"}\n}', 3,
     'imaps: "localhost:imaps" is not an address with a port'),
    ('smtpd {\n\ttrusted_networks = {"10.0.0.0/8", "10.0.0.0/33"}\n}', 3,
     'trusted_networks: "10.0.0.0/33" is not a network such as'),
    ('smtpd {\n\tblock_clients = {"spammer"}\n}', 3, "is not a network such as"),
    ('server {\n\tname_servers = {"dns.example"}\n}', 3, "is not an address such as"),
    ('smtpd {\n\tgreeting = "a"', None, "section smtpd is not closed: a } is missing"),
    ('smtpd {\n\tgreeting = "a\n}', None, "a quotation mark or a comment is not closed"),
    ('smtpd {\n\tgreeting = "a" /* \n}', None, "a quotation mark or a comment is not closed"),
    ('# x\n// y\n/* z\n*/ smtpd { # "\n\tgreetin = "a # b"\n}', 6, 'no option "greetin"'),
    ('smtpd {\n\tgreeting = "a"\n}\n}', 5, "unexpected closing brace"),
    ('smtpd {\n\tgreeting\n}', None, "missing equal sign after option 'greeting'"),
    ('smtpd "x" {\n}', 2, "missing opening brace"),
    ('certificate {\n}', 2, "missing title"),
    ('certificate "a" {\n\tchain = "x"\n}\ncertificate "a" {\n}', 5, "duplicate title 'a'"),
    ('certificate "a" {\n\tchain = "/nonexistent/a.pem"\n\tkey = "/dev/null"\n}', 0,
     'certificate a: chain "/nonexistent/a.pem": No such file'),
    ('certificate "a" {\n\tchain = "/dev/null"\n\tkey = "/nonexistent/a.key"\n}', 0,
     'certificate a: key "/nonexistent/a.key": No such file'),
])
def test_refused(tmp_path, text, line, want):
    path = tmp_path / "veredus.conf"
    path.write_text("# a comment\n" + text + "\n")
    status, said = check(path)
    assert status == EX_CONFIG
    assert want in said
    if line is None:
        assert re.match(rf"{re.escape(str(path))}:\d+: ", said)
    elif line:
        assert said.startswith(f"{path}:{line}: "), said
    else:
        assert said.startswith(f"{path}: "), said


def test_no_file(tmp_path):
    status, said = check(tmp_path / "none.conf")
    assert status == EX_CONFIG
    assert said == f"{tmp_path}/none.conf: No such file or directory\n"


def test_good(tmp_path):
    path = tmp_path / "veredus.conf"
    path.write_text('smtpd {\n\tlisten = {"*:25", "[::1]:2525", "/run/x"}\n}\n')
    assert check(path) == (0, "")


# ---- what only a start shows ----

@pytest.fixture
def made():
    """Servers that were not started."""
    servers = []

    def make(**kw):
        servers.append(Server(**kw))
        return servers[-1]

    yield make
    for s in servers:
        s.remove()


def start_fails(s):
    """veredusd in the foreground: its exit status and last words."""
    p = subprocess.run([BUILD / "master/veredusd", "-c", s.conf, "-L", s.libexec],
                       capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return p.returncode, p.stderr


def test_taken_port(made):
    s = made()
    with socket.create_server(("127.0.0.1", s.ports["imaps"])):
        status, said = start_fails(s)
        assert status == EX_CONFIG
        assert f"cannot listen on 127.0.0.1:{s.ports['imaps']}: Address already in use" in said
        p = s.command("doctor", check=False)
        assert f"{s.ports['imaps']}" in p.stdout and "taken by" in p.stdout
    s.start()


@pytest.mark.skipif(not ROOT, reason="one user owns everything")
@pytest.mark.parametrize("folder", ["queue", "directory"])
def test_folder_of_somebody_else(made, folder):
    s = made()
    s.start()
    s.stop()
    path = s.folder / "state" / folder
    was = path.stat()
    os.chown(path, 65534, 65534)
    status, said = start_fails(s)
    assert status == EX_TEMPFAIL
    assert f"folder {folder} in state_dir has owner 65534" in said
    assert f"must belong to uid {was.st_uid}" in said
    os.chown(path, was.st_uid, was.st_gid)
    path.chmod(0o777)
    status, said = start_fails(s)
    assert status == EX_TEMPFAIL and "mode 777" in said
    path.chmod(0o700)
    s.start()


def other_key(folder, name):
    subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-out", folder / name], check=True,
                   capture_output=True)


def told_certificate(s):
    with socket.create_connection(("127.0.0.1", s.ports["imaps"]), 10) as raw, \
            s.tls().wrap_socket(raw, server_hostname="localhost") as c:
        return c.getpeercert()["serialNumber"]


def test_wrong_key_on_reload_keeps_the_old(made):
    s = made().start()
    first = told_certificate(s)
    shutil.copy(s.folder / "server.key", s.folder / "right.key")
    other_key(s.folder, "server.key")
    p = s.command("reload", check=False)
    said = p.stdout + p.stderr
    assert "certificate mail.example.test" in said, said
    wait_for(lambda: "event=certificate_refused name=mail.example.test" in s.log.read_text())
    assert told_certificate(s) == first
    # And with what is no certificate at all.
    chain = (s.folder / "server.pem").read_text()
    shutil.copy(s.folder / "right.key", s.folder / "server.key")
    (s.folder / "server.pem").write_text("no certificate\n")
    p = s.command("reload", check=False)
    assert "certificate mail.example.test" in p.stdout + p.stderr
    assert told_certificate(s) == first
    (s.folder / "server.pem").write_text(chain)
    assert s.command("reload").stdout.strip() == "reloaded"
    assert told_certificate(s) == first


def test_wrong_key_at_the_start(made):
    s = made()
    other_key(s.folder, "server.key")
    s.process = subprocess.Popen(
        [BUILD / "master/veredusd", "-c", s.conf, "-L", s.libexec],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: s.process.poll() is not None or
             (s.log.exists() and "event=certificate_refused" in s.log.read_text()), 30)
    text = s.log.read_text()
    assert re.search(r"event=certificate_refused name=mail\.example\.test why=", text)
    # Mail goes on without it, but nobody is greeted with a wrong one.
    if s.process.poll() is None:
        wait_for(s.is_ready, 30)
        with s.smtp() as c:
            c.ehlo()
            assert not c.has_extn("starttls")


def test_second_server_on_the_same_run_dir(made):
    s = made().start()
    other = made()
    other.conf.write_text(other.conf.read_text().replace(
        f"{other.folder}/run", f"{s.folder}/run"))
    status, said = start_fails(other)
    assert status == EX_CONFIG
    assert "another veredusd runs with this run_dir" in said
    # The first one was not disturbed.
    assert s.status()
    with s.smtp() as c:
        assert c.noop()[0] == 250


def test_role_refuses_its_section(made):
    """The log says what the role did not like."""
    s = made(options={"directory": {"routes": ["nonsense"]}})
    status, said = start_fails(s)
    assert status == EX_TEMPFAIL and "the log says why" in said
    assert re.search(r"directory error event=configuration_refused why=.*nonsense",
                     s.log.read_text())


def test_unusable_log(made):
    s = made()
    s.conf.write_text(s.conf.read_text().replace(f"{s.log}", "/nonexistent/x.log"))
    status, said = start_fails(s)
    assert status == EX_CONFIG
    assert "cannot open the log /nonexistent/x.log: No such file or directory" in said
