# SPDX-License-Identifier: ISC
"""The whole server with clients that others wrote: swaks, curl, msmtp, mbsync,
fetchmail, getmail, mutt and s-nail. Each program is on the list of ./check."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from server import ROOT, Server, letter, wait_for

USERS = ("alice", "bob", "carol", "curly", "sync", "fetch", "get", "mutt", "nail")


@pytest.fixture(scope="module")
def server():
    s = Server(accounts=USERS)
    try:
        yield s.start()
    finally:
        s.remove()


@pytest.fixture
def home(tmp_path):
    """A folder to be $HOME, closed to others as most of these insist."""
    tmp_path.chmod(0o700)
    return tmp_path


def run(*args, home=None, stdin="", ok=True, timeout=40):
    env = dict(os.environ, LC_ALL="C", TERM="xterm")
    if home:
        env["HOME"] = str(home)
    p = subprocess.run([str(a) for a in args], input=stdin, capture_output=True,
                       text=True, errors="replace", env=env, timeout=timeout)
    if ok:
        assert p.returncode == 0, f"{args}: {p.returncode}\n{p.stdout}\n{p.stderr}"
    return p


def write_private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def arrived(server, subject, user="bob", seconds=20):
    """The one message with this subject; exactly one."""
    head = f"\r\nSubject: {subject}\r\n".encode()
    got = wait_for(lambda: [m for m in server.messages(user) if head in m],
                   seconds, 0.1)
    assert len(got) == 1
    return got[0]


def fill(server, user, subjects):
    """Letters for `user`, there when this returns."""
    before = len(server.messages(user))
    with server.smtp() as c:
        for s in subjects:
            c.sendmail("x@remote.test", [f"{user}@example.test"],
                       letter(s, to=f"{user}@example.test",
                              body=f"Text of {s}.\r\n.\r\n..dots\r\n"))
    server.wait_messages(before + len(subjects), user)


# ---- swaks

def swaks(server, service, subject, *args, ok=True):
    return run("swaks", "--server", "localhost", "--port", server.ports[service],
               "--helo", "client.test", "--from", "alice@example.test", "--to",
               "bob@example.test", "--h-Subject", subject, "--timeout", "20",
               "--tls-ca-path", server.folder / "ca.pem", *args, ok=ok)


def login(server, user="alice", mechanism="PLAIN"):
    return ("--auth", mechanism, "--auth-user", f"{user}@example.test",
            "--auth-password", server.password[user])


@pytest.mark.parametrize("service,args,word", [
    ("smtp", (), "ESMTP"),
    ("smtp", ("--tls", "--tls-verify"), "ESMTPS"),
    ("smtp", ("--pipeline",), "ESMTP"),
    ("smtp", ("--protocol", "SMTP"), "SMTP"),
    ("lmtp", ("--protocol", "LMTP"), "LMTP"),
])
def test_swaks(server, service, args, word):
    subject = "swaks " + " ".join((service,) + args)
    p = swaks(server, service, subject, *args)
    assert "\n<-  250 " in p.stdout or "\n<~  250 " in p.stdout
    assert re.search(rb"\bwith " + word.encode() + rb"\b", arrived(server, subject))


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("service,tls", [("submission", "--tls"),
                                         ("submissions", "--tls-on-connect")])
def test_swaks_auth(server, mechanism, service, tls):
    subject = f"swaks {mechanism} {service}"
    p = swaks(server, service, subject, tls, "--tls-verify",
              *login(server, "alice", mechanism))
    assert "235 2.7.0" in p.stdout
    assert re.search(rb"\bwith ESMTPSA\b", arrived(server, subject))


def test_swaks_wrong_password(server):
    p = swaks(server, "submission", "never", "--tls", "--auth", "PLAIN",
              "--auth-user", "alice@example.test", "--auth-password", "wrong",
              ok=False)
    assert p.returncode == 28 and "535 5.7.8" in p.stdout


def test_swaks_no_auth_without_tls(server):
    p = swaks(server, "submission", "never", *login(server), ok=False)
    assert p.returncode == 28
    assert " AUTH" not in p.stdout


def test_swaks_submission_wants_login(server):
    p = swaks(server, "submission", "never", "--tls", ok=False)
    assert p.returncode == 23 and "530 5.7.0" in p.stdout


def test_swaks_foreign_sender(server):
    """Who has logged in may send as nobody else."""
    p = swaks(server, "submission", "never", "--tls", *login(server, "carol"),
              ok=False)
    assert p.returncode in (23, 24) and re.search(r"<~\* 5\d\d 5\.7\.1", p.stdout)


def test_swaks_lmtp_answers_each_recipient(server):
    p = swaks(server, "lmtp", "lmtp two", "--protocol", "LMTP", "--to",
              "bob@example.test,carol@example.test,nobody@example.test")
    assert p.stdout.count("<-  250 2.1.5") == 4
    assert "<** 550 5.1.1" in p.stdout
    arrived(server, "lmtp two", "bob")
    arrived(server, "lmtp two", "carol")


# ---- curl

def curl(server, url, *args, user="curly", ok=True):
    scheme, path = url.split("/", 1)
    service = {"smtp": "submission", "smtps": "submissions"}.get(scheme, scheme)
    login = ("--user", f"{user}@example.test:{server.password[user]}") if user else ()
    return run("curl", "-sS", "--max-time", "30", "--cacert",
               server.folder / "ca.pem", "--ssl-reqd",
               f"{scheme}://localhost:{server.ports[service]}/{path}",
               *login, *args, ok=ok)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
@pytest.mark.parametrize("mechanism", [None, "PLAIN", "LOGIN"])
def test_curl_sends(server, home, scheme, mechanism):
    subject = f"curl {scheme} {mechanism}"
    raw = letter(subject, "curly@example.test", body="a\r\n.\r\n..b\r\n")
    (home / "m").write_bytes(raw)
    more = ("--login-options", f"AUTH={mechanism}") if mechanism else ()
    curl(server, f"{scheme}/client.test", "--mail-from", "curly@example.test",
         "--mail-rcpt", "bob@example.test", "-T", home / "m", *more)
    assert arrived(server, subject).endswith(raw)


@pytest.mark.parametrize("scheme", ["imap", "imaps"])
def test_curl_imap(server, home, scheme):
    box = f"curl-{scheme}"
    raw = letter("appended", body="1\r\n.\r\nlast\r\n")
    (home / "m").write_bytes(raw)
    assert "INBOX" in curl(server, f"{scheme}/").stdout
    curl(server, f"{scheme}/", "-X", f"CREATE {box}")
    for _ in range(2):
        curl(server, f"{scheme}/{box}", "-T", home / "m")
    assert "2" in curl(server, f"{scheme}/", "-X", f"STATUS {box} (MESSAGES)").stdout
    p = curl(server, f"{scheme}/{box}", "-X", "SEARCH SUBJECT appended")
    assert p.stdout == "* SEARCH 1 2\n" or p.stdout.strip() == "* SEARCH 1 2"
    assert curl(server, f"{scheme}/{box}?SUBJECT%20nothing").stdout.strip() == "* SEARCH"
    for path in (f"{box};MAILINDEX=1", f"{box};UID=2"):
        curl(server, f"{scheme}/{path}", "-o", home / "got")
        assert (home / "got").read_bytes() == raw
    curl(server, f"{scheme}/{box};UID=1;SECTION=TEXT", "-o", home / "got")
    assert (home / "got").read_bytes() == raw.split(b"\r\n\r\n", 1)[1]
    p = curl(server, f"{scheme}/{box}", "-X", "STORE 1 +FLAGS (\\Deleted)")
    assert "\\Deleted" in p.stdout
    assert "EXPUNGE" in curl(server, f"{scheme}/{box}", "-X", "EXPUNGE").stdout
    assert curl(server, f"{scheme}/{box};MAILINDEX=2", ok=False).returncode == 78
    curl(server, f"{scheme}/", "-X", f"DELETE {box}")
    assert box not in curl(server, f"{scheme}/").stdout


@pytest.mark.parametrize("scheme", ["imap", "pop3", "smtp"])
def test_curl_wrong_password(server, scheme):
    p = curl(server, f"{scheme}/", user=None, ok=False, *(
        "--user", "curly@example.test:wrong", "--mail-from", "curly@example.test",
        "--mail-rcpt", "bob@example.test", "-T", "/dev/null")[:2 if scheme != "smtp" else 8])
    assert p.returncode == 67, p.stderr


@pytest.mark.parametrize("scheme", ["pop3", "pop3s"])
@pytest.mark.parametrize("mechanism", [None, "PLAIN", "LOGIN"])
def test_curl_pop3(server, home, scheme, mechanism):
    fill(server, "curly", [f"pop {scheme} {mechanism}"])
    more = ("--login-options", f"AUTH={mechanism}") if mechanism else ()
    rows = curl(server, f"{scheme}/", *more).stdout.split("\n")
    rows = [r.split() for r in rows if r.strip()]
    curl(server, f"{scheme}/{rows[-1][0]}", "-o", home / "got", *more)
    got = (home / "got").read_bytes()
    assert f"Subject: pop {scheme} {mechanism}\r\n".encode() in got
    assert got.endswith(b"\r\n.\r\n..dots\r\n") and len(got) == int(rows[-1][1])
    uids = curl(server, f"{scheme}/", "-X", "UIDL", *more).stdout.split("\n")
    assert len([u for u in uids if u.strip()]) == len(rows)
    curl(server, f"{scheme}/{rows[-1][0]}", "-X", "DELE", "-l", *more)
    assert len(server.messages("curly")) == len(rows) - 1


# ---- msmtp

@pytest.mark.parametrize("service,starttls", [("submission", "on"),
                                              ("submissions", "off")])
@pytest.mark.parametrize("mechanism", ["on", "plain", "login", "scram-sha-256"])
def test_msmtp(server, home, service, starttls, mechanism):
    rc = write_private(home / "rc", f"""
account a
host localhost
port {server.ports[service]}
tls on
tls_starttls {starttls}
tls_trust_file {server.folder}/ca.pem
auth {mechanism}
user alice@example.test
password {server.password["alice"]}
from alice@example.test
timeout 20
account default : a
""")
    subject = f"msmtp {service} {mechanism}"
    run("msmtp", "-C", rc, "bob@example.test", home=home,
        stdin=letter(subject).decode().replace("\r\n", "\n"))
    assert b"\r\n\r\nSome text.\r\n" in arrived(server, subject)


def test_msmtp_serverinfo(server, home):
    p = run("msmtp", "--serverinfo", "--host=localhost", "--tls", "--tls-trust-file",
            server.folder / "ca.pem", f"--port={server.ports['submission']}", home=home)
    for word in ("PIPELINING", "DSN", "STARTTLS", "AUTH", "SIZE"):
        assert word in p.stdout


# ---- mbsync

def test_mbsync(server, home):
    """Both ways, twice; flags and folders of either side reach the other."""
    near = home / "near"
    near.mkdir()
    fill(server, "sync", ["one", "two", "three"])
    c = server.imap("sync", None)
    assert c.create("Archive/2026")[0] == "OK"
    assert c.append("Archive/2026", "(\\Flagged)", None, letter("old"))[0] == "OK"
    rc = write_private(home / "rc", f"""
IMAPAccount a
Host localhost
Port {server.ports["imaps"]}
User sync@example.test
Pass {server.password["sync"]}
SSLType IMAPS
CertificateFile {server.folder}/ca.pem
Timeout 20

IMAPStore far
Account a

MaildirStore near
Path {near}/
Inbox {near}/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
""")

    def sync():
        return run("mbsync", "-c", rc, "-V", "c", home=home)

    def files(box):
        return sorted(p for d in ("cur", "new") for p in (near / box / d).iterdir())

    def flags(uid_or_all="1:*", box="INBOX"):
        c.select(box)
        return [d.decode() for d in c.fetch(uid_or_all, "(FLAGS)")[1] if d]

    sync()
    assert len(files("INBOX")) == 3
    old = files("Archive/2026")
    assert len(old) == 1 and old[0].name.endswith("F")
    assert b"Subject: old\n" in old[0].read_bytes().replace(b"\r\n", b"\n")

    # Nothing changed: a second run moves nothing.
    before = {p: p.read_bytes() for p in files("INBOX")}
    sync()
    assert {p: p.read_bytes() for p in files("INBOX")} == before

    # Flags set here, a letter written here, a folder made here.
    first = files("INBOX")[0]
    text = first.read_bytes()
    first.unlink()
    name = re.sub(r"^([^:]*):2,.*", r"\1:2,FRS", first.name if ":" in first.name
                  else first.name + ":2,")
    (near / "INBOX/cur" / name).write_bytes(text)
    for d in ("cur", "new", "tmp"):
        (near / "Made here" / d).mkdir(parents=True)
    (near / "Made here/cur/1.local:2,D").write_bytes(letter("draft").replace(b"\r\n", b"\n"))
    sync()
    assert sum("\\Flagged" in f and "\\Answered" in f and "\\Seen" in f
               for f in flags()) == 1
    assert any("\\Draft" in f for f in flags(box='"Made here"'))

    # Flags set there come back, what is expunged there goes.
    c.select("INBOX")
    c.store("2", "+FLAGS", "(\\Flagged)")
    c.store("3", "+FLAGS", "(\\Deleted)")
    c.expunge()
    sync()
    assert len(files("INBOX")) == 2
    assert sum("F" in p.name.split(",")[-1] for p in files("INBOX") if ":2," in p.name) == 2

    # Deleted here goes there.
    gone = next(p for p in files("INBOX") if p.name.endswith("FRS"))
    gone.rename(gone.with_name(gone.name + "T"))
    sync()
    assert c.select("INBOX")[1] == [b"1"]
    sync()
    assert len(files("INBOX")) == 1 and len(files("Made here")) == 1
    c.logout()


# ---- fetchmail and getmail

@pytest.mark.parametrize("protocol,service,deliver", [
    ("imap", "imaps", "smtp"), ("pop3", "pop3s", "smtp"),
    ("imap", "imap", "lmtp"), ("pop3", "pop3", "lmtp")])
def test_fetchmail(server, home, protocol, service, deliver):
    """Mail fetched from one account goes on to another by SMTP or LMTP."""
    subjects = [f"fetched {service} {i}" for i in range(5)]
    fill(server, "fetch", subjects)
    tls = "ssl" if service.endswith("s") else "sslproto tls1.2+"
    rc = write_private(home / "rc", f"""
poll localhost protocol {protocol} service {server.ports[service]}
  user "fetch@example.test" password "{server.password["fetch"]}"
  {tls} sslcertck sslcertfile "{server.folder}/ca.pem"
  {"lmtp" if deliver == "lmtp" else ""} smtphost "127.0.0.1/{server.ports[deliver]}"
  smtpname "carol@example.test" no rewrite fetchall nokeep
""")
    run("fetchmail", "-f", rc, "--nosyslog", "-N", "--pidfile", home / "pid", "-t", "20",
        home=home)
    for s in subjects:
        m = arrived(server, s, "carol")
        assert m.endswith(b"\r\n.\r\n..dots\r\n")
    assert server.messages("fetch") == []
    p = run("fetchmail", "-f", rc, "--nosyslog", "-N", "--pidfile", home / "pid",
            home=home, ok=False)
    assert p.returncode == 1, "1 says that there was no mail"


@pytest.mark.parametrize("kind,service", [
    ("SimpleIMAPSSLRetriever", "imaps"), ("SimplePOP3SSLRetriever", "pop3s")])
def test_getmail(server, home, kind, service):
    subjects = [f"got {service} {i}" for i in range(5)]
    fill(server, "get", subjects)
    # As root it delivers as somebody else only, who must get there.
    box = server.folder / f"getmail-{service}"
    user = "user = nobody" if ROOT else ""
    for d in ("", "cur", "new", "tmp"):
        (box / d).mkdir()
        if ROOT:
            shutil.chown(box / d, "nobody")
    rc = write_private(home / "rc", f"""
[retriever]
type = {kind}
server = localhost
port = {server.ports[service]}
username = get@example.test
password = {server.password["get"]}
ca_certs = {server.folder}/ca.pem
timeout = 20
[destination]
type = Maildir
path = {box}/
{user}
[options]
delete = true
read_all = false
delivered_to = false
received = false
""")
    run("getmail", "--getmaildir", home, "--rcfile", rc, home=home)
    got = [p.read_bytes() for p in (box / "new").iterdir()]
    assert len(got) == 5
    for s in subjects:
        assert sum(f"\nSubject: {s}\n".encode() in g for g in got) == 1
    assert all(g.endswith(b"\n.\n..dots\n") for g in got)
    assert server.messages("get") == []
    run("getmail", "--getmaildir", home, "--rcfile", rc, home=home)
    assert len(list((box / "new").iterdir())) == 5


# ---- mutt

def on_terminal(args, home, seconds=15):
    """Runs a program on a terminal of its own; gives what it showed."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(HOME=str(home), TERM="xterm", LC_ALL="C", LINES="40",
                          COLUMNS="120")
        os.execvp(args[0], [str(a) for a in args])
    shown, end = b"", time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if not select.select([fd], [], [], 1)[0]:
                continue
            try:
                got = os.read(fd, 65536)
            except OSError:
                break
            if not got:
                break
            shown += got
        else:
            os.kill(pid, 9)
            pytest.fail(f"{args[0]} does not end: {shown[-2000:]!r}")
    finally:
        os.close(fd)
        status = os.waitpid(pid, 0)[1]
    assert status == 0, shown[-2000:]
    return shown


@pytest.fixture(params=["plain", "scram-sha-256"])
def authenticators(request):
    return request.param


@pytest.fixture
def muttrc(server, home, authenticators):
    return write_private(home / "muttrc", f"""
set realname="Mutt" from="mutt@example.test" use_from=yes use_envelope_from=yes
set certificate_file="{server.folder}/ca.pem" ssl_verify_host=yes
set ssl_force_tls=yes
set imap_user="mutt@example.test" imap_pass="{server.password["mutt"]}"
set pop_user="mutt@example.test" pop_pass="{server.password["mutt"]}"
set smtp_pass="{server.password["mutt"]}"
set smtp_url="smtp://mutt@example.test@localhost:{server.ports["submission"]}/"
set folder="imaps://localhost:{server.ports["imaps"]}/"
# Its SASL library takes SCRAM-SHA-256-PLUS first and then has no binding to
# give over TLS 1.3: it cancels, and SMTP and POP do not go on to the next.
set smtp_authenticators="{authenticators}" pop_authenticators="{authenticators}"
set record="" copy=no confirmcreate=no confirmappend=no delete=yes quit=yes
set mbox_type=mbox wait_key=no sleep_time=0 mail_check=0 timeout=5 move=no
""")


def test_mutt_sends(server, home, muttrc, authenticators):
    (home / "a.bin").write_bytes(bytes(range(256)) * 40)
    run("mutt", "-F", muttrc, "-s", f"by mutt {authenticators}", "-a", home / "a.bin", "--",
        "bob@example.test", home=home, stdin="Gr\u00fc\u00dfe\n")
    m = arrived(server, f"by mutt {authenticators}")
    assert b"multipart/mixed" in m and b"filename=\"a.bin\"" in m


@pytest.mark.parametrize("service", ["imaps", "imap", "pop3s"])
def test_mutt_reads(server, home, muttrc, service, authenticators):
    label = f"{service} {authenticators} "
    fill(server, "mutt", [f"for mutt {label}{i}" for i in range(3)])
    scheme = {"pop3s": "pops"}.get(service, service)
    copied = home / "copied"
    on_terminal(["mutt", "-n", "-F", muttrc, "-f",
                 f"{scheme}://localhost:{server.ports[service]}/", "-e",
                 f"push '<tag-pattern>~s \"for mutt {label}[02]\"<enter><tag-prefix>"
                 f"<save-message><kill-line>{copied}<enter><quit>'"], home)
    text = copied.read_bytes()
    assert text.count(b"\nSubject: for mutt") == 2
    left = [m for m in server.messages("mutt") if f"for mutt {label}".encode() in m]
    assert len(left) == 1 and f"for mutt {label}1".encode() in left[0]


def test_mutt_copies_on_server(server, home, muttrc, authenticators):
    subject = f"to be moved {authenticators}"
    fill(server, "mutt", [subject])
    on_terminal(["mutt", "-n", "-F", muttrc, "-f",
                 f"imaps://localhost:{server.ports['imaps']}/INBOX", "-e",
                 f"push '<tag-pattern>~s \"{subject}\"<enter><tag-prefix>"
                 "<save-message><kill-line>=Moved<enter><quit>'"], home)
    got = server.messages("mutt", "Moved")
    assert f"Subject: {subject}".encode() in got[-1]
    assert not any(b"to be moved" in m for m in server.messages("mutt"))


def test_mutt_with_its_defaults(own_server, home):
    """Without channel_binding it takes the next mechanism and goes on."""
    s = own_server({"server": {"channel_binding": "no"}}, accounts=("mutt", "bob"))
    rc = write_private(home / "muttrc", f"""
set from="mutt@example.test" use_from=yes use_envelope_from=yes copy=no record=""
set certificate_file="{s.folder}/ca.pem" ssl_verify_host=yes ssl_force_tls=yes
set imap_user="mutt@example.test" imap_pass="{s.password["mutt"]}"
set pop_user="mutt@example.test" pop_pass="{s.password["mutt"]}"
set smtp_pass="{s.password["mutt"]}"
set smtp_url="smtp://mutt@example.test@localhost:{s.ports["submission"]}/"
set confirmcreate=no confirmappend=no delete=yes quit=yes mbox_type=mbox move=no
set wait_key=no sleep_time=0 mail_check=0 timeout=5
""")
    run("mutt", "-F", rc, "-s", "by default", "--", "bob@example.test", home=home, stdin="x\n")
    arrived(s, "by default")
    for service, scheme in (("imaps", "imaps"), ("pop3s", "pops")):
        fill(s, "mutt", ["for mutt"])
        copied = home / service
        on_terminal(["mutt", "-n", "-F", rc, "-f", f"{scheme}://localhost:{s.ports[service]}/",
                     "-e", "push '<tag-pattern>~A<enter><tag-prefix><save-message>"
                     f"<kill-line>{copied}<enter><quit>'"], home)
        assert b"Subject: for mutt" in copied.read_bytes()


# ---- s-nail

def nail(server, home, *args, stdin=""):
    return run("s-nail", "-:/", "-S", "v15-compat=yes", "-S",
               f"tls-ca-file={server.folder}/ca.pem", "-S", "tls-ca-no-defaults",
               "-S", "tls-verify=strict", "-S", "from=nail@example.test",
               "-S", "hostname=client.test", "-S", "folder=/nonexistent",
               "-S", "inbox=/nonexistent/x", *args, home=home, stdin=stdin)


@pytest.mark.parametrize("service", ["submission", "submissions"])
@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_snail_sends(server, home, service, mechanism):
    scheme = "smtps" if service.endswith("s") else "smtp"
    subject = f"by s-nail {service} {mechanism}"
    nail(server, home, "-S", "smtp-use-starttls", "-S", f"smtp-auth={mechanism}",
         "-S", f"mta={scheme}://nail%40example.test:{server.password['nail']}"
         f"@localhost:{server.ports[service]}", "-s", subject, "-.",
         "bob@example.test", stdin="Text.\n")
    assert b"\r\n\r\nText.\r\n" in arrived(server, subject)


@pytest.mark.parametrize("service", ["imaps", "imap", "pop3s", "pop3"])
def test_snail_reads(server, home, service):
    subject = f"for s-nail {service}"
    fill(server, "nail", [subject])
    url = (f"{service}://nail%40example.test:{server.password['nail']}"
           f"@localhost:{server.ports[service]}")
    p = nail(server, home, "-S", "imap-use-starttls", "-S", "pop3-use-starttls",
             "-R", "-f", url, stdin=f"type $\nfrom *\nxit\n")
    assert f"Subject: {subject}" in p.stdout and f"Text of {subject}." in p.stdout
