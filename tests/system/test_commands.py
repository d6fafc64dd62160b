# SPDX-License-Identifier: ISC
"""The administrator's command and sendmail(1) used wrongly and rightly: exit
codes, sentences, JSON, the queue's commands on a message that cannot go, mail
dropped while the server is down, and passwords that are never shown."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from server import BUILD, Server, free_ports, letter, wait_for

EX_USAGE, EX_DATAERR, EX_NOINPUT, EX_NOUSER, EX_NOHOST = 64, 65, 66, 67, 68
EX_UNAVAILABLE = 69


@pytest.fixture(scope="module")
def server():
    closed = free_ports(1)[0]
    s = Server({"directory": {"routes": [f"far.test=127.0.0.1:{closed}"]}})
    try:
        yield s.start()
    finally:
        s.remove()


def rows(server, *args):
    return json.loads(server.command(*args, "--json").stdout)


# ---- usage ----

@pytest.mark.parametrize("args,said", [
    (["statsu"], 'there is no command "statsu"; did you mean "status"?'),
    (["acount", "add", "x@example.test"], 'did you mean "account add"?'),
    (["queue", "lsit"], "which one?"),
    (["queue"], "which one?"),
    (["frobnicate"], 'there is no command "frobnicate"'),
    ([], "usage: veredus"),
    (["--frob"], "usage: veredus"),
    (["status", "x"], "usage: veredus status"),
    (["stop", "now"], "usage: veredus stop"),
    (["reload", "x"], "usage: veredus reload"),
    (["domain", "add"], "usage: veredus domain add DOMAIN"),
    (["domain", "add", "a.test", "b.test"], "usage: veredus domain add DOMAIN"),
    (["domain", "remove"], "usage: veredus domain remove DOMAIN"),
    (["domain", "list", "x"], "usage: veredus domain list"),
    (["account", "add"], "usage: veredus account add ADDRESS [--hash FORM]"),
    (["account", "add", "a@example.test", "b"], "usage: veredus account add"),
    (["account", "add", "a@example.test", "--hash"], "usage: veredus account add"),
    (["account", "passwd"], "usage: veredus account passwd"),
    (["account", "show"], "usage: veredus account show"),
    (["account", "show", "a", "b"], "usage: veredus account show"),
    (["account", "quota"], "usage: veredus account quota"),
    (["account", "quota", "a", "1", "2", "3"], "usage: veredus account quota"),
    (["account", "import"], "usage: veredus account import FILE"),
    (["alias", "add", "x@example.test"], "usage: veredus alias add ADDRESS TARGET..."),
    (["alias", "remove"], "usage: veredus alias remove"),
    (["address", "test"], "usage: veredus address test"),
    (["queue", "show"], "usage: veredus queue show ID"),
    (["queue", "hold"], "usage: veredus queue hold ID"),
    (["queue", "list", "x"], "usage: veredus queue list"),
    (["trace"], "usage: veredus trace"),
    (["dns", "lookup", "mx"], "usage: veredus dns lookup"),
    (["config", "show", "x"], "usage: veredus config show"),
    (["config", "check", "a", "b"], "usage: veredus config check"),
])
def test_usage(server, args, said):
    p = server.command(*args, check=False)
    assert p.returncode == EX_USAGE
    assert said in p.stderr
    assert p.stdout == ""


@pytest.mark.parametrize("args,status", [
    (["account", "show", "nobody@example.test"], EX_NOUSER),
    (["account", "remove", "nobody@example.test"], EX_NOUSER),
    (["account", "disable", "nobody@example.test"], EX_NOUSER),
    (["account", "enable", "nobody@example.test"], EX_NOUSER),
    (["account", "quota", "nobody@example.test", "1M"], EX_NOUSER),
    (["account", "passwd", "nobody@example.test"], EX_NOUSER),
    (["account", "add", "x@unknown.test"], None),
    (["account", "add", "not an address"], None),
    (["account", "add", "alice@example.test"], None),
    (["account", "quota", "alice@example.test", "much"], None),
    (["domain", "add", "example.test"], None),
    (["domain", "add", "not a domain"], None),
    (["domain", "add", "-x.test"], None),
    (["domain", "remove", "unknown.test"], None),
    (["domain", "remove", "example.test"], None),
    (["alias", "add", "x@unknown.test", "alice@example.test"], None),
    (["alias", "add", "x@example.test", "not an address"], None),
    (["alias", "remove", "nobody@example.test"], None),
    (["queue", "show", "zzzz"], None),
    (["queue", "hold", "zzzz"], None),
    (["queue", "release", "0123456789"], None),
    (["queue", "remove", "../../etc/passwd"], None),
    (["dns", "lookup", "FOO", "example.test"], None),
    (["account", "import", "/nonexistent/file"], EX_NOINPUT),
])
def test_refused(server, args, status):
    """A sentence on stderr, nothing on stdout, and an exit status of its own."""
    p = server.command(*args, stdin="some-secret-pw\n", check=False)
    if status is None:
        assert p.returncode > 0
    else:
        assert p.returncode == status
    assert p.stderr.startswith("veredus: ") and len(p.stderr.split()) > 2
    assert p.stdout == ""


def test_no_password(server):
    p = server.command("account", "passwd", "alice@example.test", stdin="", check=False)
    assert p.returncode == EX_NOINPUT and "no password was given" in p.stderr
    server.imap("alice").logout()


def test_help_and_version(server):
    p = server.command("--help")
    for word in ("status", "account import", "queue remove", "doctor"):
        assert word in p.stdout
    assert re.match(r"veredus \d", server.command("--version").stdout)


def test_configuration_is_missing(server, tmp_path):
    for args in (["status"], ["domain", "list"], ["config", "check"]):
        p = subprocess.run([BUILD / "master/veredus", "-c", tmp_path / "none", *args],
                           capture_output=True, text=True)
        assert p.returncode == 78 and "none: No such file" in p.stderr


@pytest.mark.parametrize("args", [
    ["status"], ["domain", "list"], ["account", "list"], ["account", "list", "example.test"],
    ["account", "show", "alice@example.test"], ["alias", "list"],
    ["alias", "list", "example.test"], ["address", "test", "alice@example.test"],
    ["address", "test", "nobody@example.test"], ["queue", "list"], ["rate", "list"],
])
def test_json(server, args):
    before = server.command("--json", *args).stdout
    got = json.loads(before)
    assert isinstance(got, list) and all(isinstance(r, dict) for r in got)
    assert isinstance(rows(server, *args), list)


# ---- passwords ----

def test_import(server, tmp_path):
    hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input="import-secret-1\n",
                            capture_output=True, text=True, check=True).stdout.strip()
    path = tmp_path / "accounts"
    path.write_text("# from another server\n\n"
                    f"i1@example.test:{hashed}\n"
                    "no colon here\n"
                    f"i2@example.test:{hashed}:1000:1000::/home/i2:/bin/sh\n"
                    f"i3@unknown.test:{hashed}\n"
                    f"alice@example.test:{hashed}\n"
                    "i4@example.test:not-a-hash\n")
    p = server.command("account", "import", str(path), check=False)
    assert p.returncode == EX_DATAERR
    assert p.stdout.strip().endswith("2 accounts, 4 failed")
    assert f"{path}:4: expected address:hash" in p.stderr
    assert hashed not in p.stderr and "not-a-hash" not in p.stderr
    for user in ("i1", "i2"):
        server.password[user] = "import-secret-1"
        server.imap(user).logout()
    # Who was there keeps the old password.
    server.imap("alice").logout()
    p = server.command("account", "import", "-", stdin=f"i5@example.test:{hashed}\n")
    assert p.stdout.strip().endswith("1 accounts, 0 failed")


def scram_form(password):
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password, salt, 4096)
    mac = lambda text: hmac.new(salted, text, hashlib.sha256).digest()
    b64 = lambda data: base64.b64encode(data).decode()
    stored = hashlib.sha256(mac(b"Client Key")).digest()
    return f"SCRAM-SHA-256$4096:{b64(salt)}${b64(stored)}:{b64(mac(b'Server Key'))}"


def test_import_of_forms(server, tmp_path):
    """Our own SCRAM form whole, Dovecot's lines as they are; what nobody can
    check adds no account, so the line can be mended and given again."""
    crypt = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input="form-secret\n",
                           capture_output=True, text=True, check=True).stdout.strip()
    good = {"f1": scram_form(b"form-secret"), "f2": scram_form(b"form-secret") + ":1000:1000::/x",
            "f3": "{SHA512-CRYPT}" + crypt + ":1000:1000::/home/f3::userdb_quota=1G",
            "f4": crypt + ":::::: "}
    bad = {"g1": "{PBKDF2}$1$abcdefgh$5000$0123456789abcdef",
           "g2": "$pbkdf2-sha256$29000$abc$def", "g3": "{PLAIN}$ecret$is$it", "g4": "$6$only-a-salt",
           "g5": "SCRAM-SHA-256$4096:YQ==$x:y", "g6": "", "g7": "x" * 5000}
    path = tmp_path / "passwd-file"
    path.write_text("".join(f"{k}@example.test:{v}\n" for k, v in {**bad, **good}.items()))
    p = server.command("account", "import", str(path), check=False)
    assert p.returncode == EX_DATAERR
    assert p.stdout.strip().endswith(f"{len(good)} accounts, {len(bad)} failed"), p.stderr
    assert "ecret" not in p.stderr
    there = {r["address"].split("@")[0] for r in rows(server, "account", "list")}
    assert set(good) <= there and not set(bad) & there
    for user in good:
        server.password[user] = "form-secret"
        server.imap(user).logout()
    path.write_text("".join(f"{k}@example.test:{crypt}\n" for k in bad))
    p = server.command("account", "import", str(path))
    assert p.stdout.strip().endswith(f"{len(bad)} accounts, 0 failed")
    p = server.command("account", "add", "h1@example.test", "--hash", bad["g1"], check=False)
    assert p.returncode == EX_DATAERR and "exists now" not in p.stderr
    assert "h1@example.test" not in {r["address"] for r in rows(server, "account", "list")}


def test_no_secret_in_the_log(server):
    with server.submission("alice") as c:
        c.noop()
    server.imap("alice").logout()
    server.pop3("alice").quit()
    with pytest.raises(Exception):
        server.password["ghost"] = "wrong-secret-77"
        server.imap("ghost")
    server.command("account", "passwd", "bob@example.test", stdin="new-secret-bob-88\n")
    secrets = [*server.password.values(), "new-secret-bob-88", "wrong-secret-77"]
    server.password["bob"] = "new-secret-bob-88"
    text = server.log.read_text() + (server.folder / "stderr").read_text()
    for secret in secrets:
        assert secret not in text
    assert "$6$" not in text and "$y$" not in text and "SCRAM-SHA-256$" not in text


def test_password_is_no_argument(server):
    p = server.command("account", "add", "zed@example.test", "a-password", check=False,
                       stdin="x\n")
    assert p.returncode == EX_USAGE
    assert all(r["address"] != "zed@example.test" for r in rows(server, "account", "list"))


# ---- the queue ----

def waiting(server, subject):
    with server.smtp() as c:
        c.ehlo()
        c.mail("alice@example.test")
        c.rcpt("x@far.test")
        queue_id = c.data(letter(subject, to="x@far.test"))[1].decode().split()[-1]
    wait_for(lambda: any(r["id"] == queue_id and r["state"] != "in work"
                         and int(r["attempts"]) > 0 for r in server.queue()))
    return queue_id


def state(server, queue_id):
    return [r["state"] for r in server.queue() if r["id"] == queue_id]


def test_queue_commands(server):
    one, two = waiting(server, "one"), waiting(server, "two")
    assert {one, two} <= {r["id"] for r in server.queue()}
    shown = server.command("queue", "show", one).stdout
    assert "x@far.test" in shown and "alice@example.test" in shown
    assert any("x@far.test" in json.dumps(r) for r in rows(server, "queue", "show", one))
    server.command("queue", "hold", one)
    wait_for(lambda: state(server, one) == ["held"])
    server.command("queue", "flush")
    assert state(server, one) == ["held"]
    server.command("queue", "release", one)
    wait_for(lambda: state(server, one) not in ([], ["held"]))
    attempts = lambda: [int(r["attempts"]) for r in server.queue() if r["id"] == two][0]
    before = attempts()
    server.command("queue", "flush", two)
    wait_for(lambda: attempts() > before)
    server.command("queue", "hold", two)
    server.restart()
    assert state(server, two) == ["held"]
    for queue_id in (one, two):
        wait_for(lambda: server.command("queue", "remove", queue_id, check=False).returncode == 0)
        wait_for(lambda: state(server, queue_id) == [])
        assert server.command("queue", "show", queue_id, check=False).returncode > 0
    # Taken out, without a bounce.
    assert not any(b"multipart/report" in m for m in server.messages("alice"))


# ---- sendmail ----

def sendmail_env(server):
    return dict(os.environ, VEREDUS_DROP=f"{server.folder}/state/drop",
                VEREDUS_DROP_PROGRAM=str(BUILD / "msa/drop"),
                VEREDUS_CONF=str(server.conf),
                PATH=f"{BUILD}/master:{os.environ['PATH']}")


def sendmail(server, *args, text="Subject: x\n\nx\n", name="sendmail"):
    return subprocess.run([name, *args], executable=BUILD / "msa/sendmail",
                          input=text.encode(), capture_output=True,
                          env=sendmail_env(server), timeout=60)


def sent(server, mark, user="carol"):
    """The message with this subject, when it has come."""
    return wait_for(lambda: [m for m in server.messages(user)
                             if f"Subject: {mark}\r\n".encode() in m], 30, 0.2)[0]


def body(raw):
    return raw.split(b"\r\n\r\n", 1)[1]


@pytest.mark.parametrize("mark,args,text,want", [
    ("plain", ["carol@example.test"], "one\n", b"one\r\n"),
    ("dot-ends", ["carol@example.test"], "one\n.\ntwo\n", b"one\r\n"),
    ("dot-i", ["-i", "carol@example.test"], "one\n.\n..\ntwo\n", b"one\r\n.\r\n..\r\ntwo\r\n"),
    ("dot-oi", ["-oi", "carol@example.test"], "one\n.\ntwo\n", b"one\r\n.\r\ntwo\r\n"),
    ("dot-vi", ["-vi", "carol@example.test"], "one\n.\ntwo\n", b"one\r\n.\r\ntwo\r\n"),
    ("dots", ["carol@example.test"], "..\n.x\n", b"..\r\n.x\r\n"),
    ("crlf", ["carol@example.test"], "a\r\nb\r\n", b"a\r\nb\r\n"),
    ("no-end", ["carol@example.test"], "no line end", b"no line end\r\n"),
    ("habits", ["-oem", "-odi", "-bm", "-v", "--", "carol@example.test"], "x\n", b"x\r\n"),
])
def test_sendmail_text(server, mark, args, text, want):
    p = sendmail(server, *args, text=f"Subject: {mark}\n\n{text}")
    assert p.returncode == 0, p.stderr
    assert body(sent(server, mark)) == want


def test_sendmail_ends_at_the_dot(server):
    """Also where whoever writes leaves the pipe open, as one at a terminal does."""
    p = subprocess.Popen([BUILD / "msa/sendmail", "carol@example.test"],
                         stdin=subprocess.PIPE, env=sendmail_env(server))
    p.stdin.write(b"Subject: by-dot\n\nx\n.\n")
    p.stdin.flush()
    assert p.wait(20) == 0
    p.stdin.close()
    assert body(sent(server, "by-dot")) == b"x\r\n"


def test_sendmail_t(server):
    p = sendmail(server, "-t", "-i", text="To: Carol <carol@example.test>,\n bob@example.test\n"
                 "Bcc: alice@example.test\nSubject: by-t\n\nx\n")
    assert p.returncode == 0, p.stderr
    for user in ("carol", "bob", "alice"):
        got = sent(server, "by-t", user)
        assert b"Bcc" not in got and b"alice" not in got.replace(b"Delivered-To: alice", b"")\
            .replace(b"for <alice", b"")


def test_sendmail_f_and_name(server):
    p = sendmail(server, "-f", "bob@example.test", "-F", "Bob \"B\" Builder", "carol@example.test",
                 text="Subject: by-f\n\nx\n")
    assert p.returncode == 0, p.stderr
    got = sent(server, "by-f")
    assert got.startswith(b"Return-Path: <bob@example.test>\r\n")
    assert re.search(rb'\r\nFrom: "?Bob \\?"B\\?" Builder"? <bob@example\.test>\r\n', got), got
    assert b"\r\nDate: " in got and b"\r\nMessage-ID: <" in got
    assert b"X-Veredus" not in got
    assert sendmail(server, "-f", "<>", "carol@example.test",
                    text="Subject: by-null\n\nx\n").returncode == 0
    assert sent(server, "by-null").startswith(b"Return-Path: <>\r\n")


@pytest.mark.parametrize("mark,args", [
    ("folder-t", ["-t", "-i"]), ("folder", ["-i", "carol@example.test"])])
def test_sendmail_from_line(server, mark, args):
    """As mail folders have it; what else does not travel goes with it."""
    p = sendmail(server, *args, text="From joe@x.test Sat Aug  1 00:00:00 2026\n"
                 "Return-Path: <joe@x.test>\nTo: carol@example.test\n"
                 f"Resent-Bcc: alice@example.test\nSubject: {mark}\n\n"
                 "From me\nx\n")
    assert p.returncode == 0, p.stderr
    # With -t it is sent again, to whom Resent-Bcc names.
    got = sent(server, mark, "alice" if "-t" in args else "carol")
    assert body(got) == b"From me\r\nx\r\n"
    head = got[:-len(body(got))]
    assert b"From joe" not in head and b"Resent-Bcc" not in head
    assert head.count(b"Return-Path:") == 1 and b"\r\nTo: carol@" in head


def test_sendmail_text_that_begins_with_from(server):
    mark = b"From now on this is a text.\r\nAnd more.\r\n"
    p = sendmail(server, "carol@example.test", text=mark.decode().replace("\r", ""))
    assert p.returncode == 0, p.stderr
    wait_for(lambda: [m for m in server.messages("carol") if body(m) == mark])


def test_drop_from_line(server):
    """A program that speaks to `drop` itself."""
    letter = (b"From joe@x.test Sat Aug  1 00:00:00 2026\r\nReturn-Path: <a@b.test>\r\n"
              b"Bcc: alice@example.test\r\nResent-Bcc: bob@example.test\r\n"
              b"Subject: dropped-folder\r\n\r\nx\r\n")
    p = subprocess.run([BUILD / "msa/drop", "-d", f"{server.folder}/state/drop"],
                       input=b"R carol@example.test\nL %d\n\n" % len(letter) + letter,
                       capture_output=True, timeout=60)
    assert p.returncode == 0, p.stderr
    got = sent(server, "dropped-folder")
    assert body(got) == b"x\r\n"
    assert b"From joe" not in got and b"cc:" not in got
    assert got.count(b"Return-Path:") == 1


def test_sendmail_large_header(server):
    """More than goes to the queue at once; and it holds up nobody."""
    fields = [f"X-Field-{i}: " + "x" * 900 + "\n" + (" " + "y" * 900 + "\n") * 4
              for i in range(50)]
    text = "Subject: large-header\n" + "".join(fields) + "\nbody\n"
    assert len(text) > 200000
    p = sendmail(server, "carol@example.test", text=text)
    assert p.returncode == 0, p.stderr
    assert sendmail(server, "carol@example.test",
                    text="Subject: behind-it\n\nx\n").returncode == 0
    got = sent(server, "large-header")
    assert "".join(fields).replace("\n", "\r\n").encode() in got
    assert body(got) == b"body\r\n"
    sent(server, "behind-it")


@pytest.mark.parametrize("args,text,status", [
    ([], "Subject: x\n\nx\n", EX_NOUSER),
    (["-t"], "Subject: x\n\nx\n", EX_NOUSER),
    (["-Z", "carol@example.test"], "x\n", EX_USAGE),
    (["-f"], "x\n", EX_USAGE),
    (["-tZ", "carol@example.test"], "x\n", EX_USAGE),
    (["-bz"], "x\n", EX_USAGE),
    (["-b"], "x\n", EX_USAGE),
    (["-N", "sometimes", "carol@example.test"], "x\n", EX_USAGE),
    (["carol@example.test\nR evil@example.test"], "x\n", EX_DATAERR),
])
def test_sendmail_refuses(server, args, text, status):
    p = sendmail(server, *args, text=text)
    assert p.returncode == status
    assert p.stderr or status == EX_USAGE


def test_sendmail_lists_and_flushes(server):
    queue_id = waiting(server, "for-mailq")
    for p in (sendmail(server, "-bp", text=""), sendmail(server, name="mailq", text="")):
        assert p.returncode == 0, p.stderr
        assert queue_id.encode() in p.stdout
    assert sendmail(server, "-q", text="").returncode == 0
    assert sendmail(server, name="newaliases", text="").returncode == 0
    assert sendmail(server, "-bi", text="").returncode == 0
    wait_for(lambda: server.command("queue", "remove", queue_id, check=False).returncode == 0)


def test_dropped_while_the_server_is_down(server):
    server.stop()
    p = sendmail(server, "carol@example.test", text="Subject: while-down\n\nx\n")
    assert p.returncode == 0, p.stderr
    waits = [f for f in (server.folder / "state/drop").rglob("*") if f.is_file()]
    assert waits, "it waits in the drop folder"
    p = sendmail(server, "-bp", text="")
    assert p.returncode == EX_UNAVAILABLE and p.stderr
    for args in (["status"], ["queue", "list"], ["reload"], ["stop"]):
        p = server.command(*args, check=False)
        assert p.returncode == EX_UNAVAILABLE and p.stderr.startswith("veredus: ")
    server.start()
    assert body(sent(server, "while-down")) == b"x\r\n"
    wait_for(lambda: not [f for f in waits if f.exists()])


def told_of(server, name):
    return [line for line in server.log.read_text(errors="replace").splitlines()
            if " event=drop_" in line and f" file={name} " in line]


def test_a_bad_drop_file_holds_up_nothing(server):
    """Files that sort before the good one: one that cannot be read now, and
    what is no message, of which one cannot be put aside either."""
    drop = server.folder / "state/drop"
    server.stop()
    assert sendmail(server, "carol@example.test", text="Subject: unreadable\n\nx\n")\
        .returncode == 0
    unreadable = drop / "new/00-unreadable"
    [f for f in (drop / "new").iterdir()][0].rename(unreadable)
    unreadable.chmod(0)
    (drop / "new/01-malformed").write_text("what is this?\n")
    (drop / "new/02-stays").write_text("what is this?\n")
    (drop / "bad/02-stays/x").mkdir(parents=True)
    os.mkfifo(drop / "new/03-fifo")
    long = "04-" + "x" * 240
    (drop / "new" / long).write_text("what is this?\n")
    assert sendmail(server, "carol@example.test", text="Subject: behind-bad\n\nx\n")\
        .returncode == 0
    server.start()
    sent(server, "behind-bad")
    time.sleep(2.5)  # more rounds
    # Landlock lets nothing make a fifo, not even rename(2).
    fifo_stays = (drop / "new/03-fifo").exists()
    for name, events in (("00-unreadable", ["drop_unreadable"]),
                         ("01-malformed", ["drop_refused"]),
                         ("02-stays", ["drop_refused", "drop_not_moved"]),
                         ("03-fifo", ["drop_refused", "drop_not_moved"][:1 + fifo_stays]),
                         (long, ["drop_refused"])):
        told = told_of(server, name)
        assert [re.search(r" event=(\S+)", x)[1] for x in told] == events, told
        assert all(" why=" in x for x in told)
    assert sorted(f.name for f in (drop / "new").iterdir()) == \
        ["00-unreadable", "02-stays"] + ["03-fifo"] * fifo_stays
    assert {"01-malformed", long} <= {f.name for f in (drop / "bad").iterdir()}
    unreadable.chmod(0o640)
    sent(server, "unreadable")
    for name in ("02-stays", "03-fifo"):
        (drop / "new" / name).unlink(missing_ok=True)


def test_taken_but_not_removed(server):
    """The file stays there, and still its message goes out once."""
    new = server.folder / "state/drop/new"
    mode = new.stat().st_mode & 0o7777
    pickup = server.pids("pickup")[0]
    os.kill(pickup, signal.SIGSTOP)
    try:
        assert sendmail(server, "carol@example.test", text="Subject: stays\n\nx\n")\
            .returncode == 0
        file = [f for f in new.iterdir()][0]
        new.chmod(0o2550)
    finally:
        os.kill(pickup, signal.SIGCONT)
    sent(server, "stays")
    time.sleep(2.5)
    assert file.exists()
    new.chmod(mode)
    wait_for(lambda: not file.exists())
    assert [re.search(r" event=(\S+)", x)[1] for x in told_of(server, file.name)] == \
        ["drop_not_removed"]
    assert len([m for m in server.messages("carol") if b"Subject: stays\r\n" in m]) == 1
