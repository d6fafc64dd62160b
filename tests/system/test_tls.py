# SPDX-License-Identifier: ISC
"""TLS with OpenSSL's s_client and Python's ssl and smtplib as clients, over
several front processes that share ticket keys, with the private keys in a
process of their own. Needs the built tree in $VEREDUS_BUILD (or the working
folder)."""

import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

BUILD = os.environ.get("VEREDUS_BUILD", os.getcwd())
ECHO = os.path.join(BUILD, "tests/tools/tls_echo")

pytestmark = pytest.mark.skipif(not os.path.exists(ECHO),
                                reason="tls_echo is not built")

KINDS = {
    "rsa": ["-newkey", "rsa:2048"],
    "p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "ed25519": ["-newkey", "ed25519"],
}


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """kind -> (certificate, key), for mail.test; and one more for other.test"""
    folder = tmp_path_factory.mktemp("pki")
    made = {}
    for kind, options in list(KINDS.items()) + [("other", KINDS["p256"])]:
        name = "other.test" if kind == "other" else "mail.test"
        cert, key = str(folder / (kind + ".pem")), str(folder / (kind + ".key"))
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-days", "30", "-subj",
             "/CN=" + name, "-addext", "subjectAltName=DNS:" + name,
             "-out", cert, "-keyout", key] + options,
            check=True, capture_output=True)
        made[kind] = (cert, key)
    return made


class Server:
    def __init__(self, specs, *options):
        self.process = subprocess.Popen([ECHO, *options, *specs],
                                        stdout=subprocess.PIPE)
        words = self.process.stdout.readline().split()
        self.port, self.keys = int(words[0]), int(words[1])
        self.fronts = [int(w) for w in words[2:]]

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def serve():
    running = []

    def start(specs, *options):
        running.append(Server(specs, *options))
        return running[-1]
    yield start
    for server in running:
        server.stop()


def s_client(server, *options, stdin=b""):
    """The hello line, and all that s_client says."""
    p = subprocess.Popen(
        ["openssl", "s_client", "-connect", "127.0.0.1:%d" % server.port,
         "-ign_eof", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT)
    said = b""
    try:
        p.stdin.write(stdin)
        p.stdin.flush()
        end = time.time() + 10
        os.set_blocking(p.stdout.fileno(), False)
        while time.time() < end and p.poll() is None:
            said += p.stdout.read() or b""
            if re.search(rb"hello pid=.*\n", said):
                break
            time.sleep(0.01)
    finally:
        p.kill()
        p.wait()
        said += p.stdout.read() or b""
        p.stdin.close()
        p.stdout.close()
    hello = re.search(rb"hello pid=.*", said)
    return hello.group().decode() if hello else None, said.decode(errors="replace")


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
@pytest.mark.parametrize("groups", [None, "P-256", "X25519"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_s_client(pki, serve, kind, groups, version):
    if groups == "X25519" and kind == "p256" and version == "tls1_2":
        groups = "X25519:P-256"  # TLS 1.2 wants the certificate's curve, too
    server = serve([":".join(pki[kind])])
    options = ["-" + version, "-servername", "mail.test",
               "-CAfile", pki[kind][0], "-verify_return_error",
               "-verify_hostname", "mail.test"]
    if groups:
        options += ["-groups", groups]
    hello, said = s_client(server, *options)
    assert hello, said
    assert "version=TLSv1.%s " % version[-1] in hello
    assert "sni=mail.test " in hello
    assert "Verification: OK" in said


@pytest.mark.parametrize("sigalg,ok", [
    ("RSA+SHA256", True), ("RSA+SHA384", True), ("RSA-PSS+SHA256", True),
    ("RSA-PSS+SHA512", True), ("RSA+SHA1", False)])
def test_signatures_of_tls12(pki, serve, sigalg, ok):
    server = serve([":".join(pki["rsa"])])
    hello, said = s_client(server, "-tls1_2", "-sigalgs", sigalg)
    assert (hello is not None) == ok, said


@pytest.mark.parametrize("options", [
    ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"],
    ["-tls1_2", "-cipher", "kRSA"],
    ["-tls1_2", "-cipher", "ECDHE-RSA-AES256-SHA384"],
    ["-tls1_3", "-sigalgs", "RSA+SHA256"],
])
def test_refused(pki, serve, options):
    server = serve([":".join(pki["rsa"])])
    hello, said = s_client(server, *options)
    assert hello is None
    assert "alert" in said
    # and it is still there
    assert s_client(server, "-tls1_3")[0]


def context(cafile, maximum=None):
    ctx = ssl.create_default_context(cafile=cafile)
    if maximum:
        ctx.maximum_version = maximum
    return ctx


def talk(server, ctx, name="mail.test", session=None):
    """One connection: the hello line as a dict, what can be resumed."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        with ctx.wrap_socket(raw, server_hostname=name,
                             session=session) as s:
            f = s.makefile("rwb")
            hello = f.readline().decode()
            f.write(b"ping\r\n")
            f.flush()
            assert f.readline() == b"ping\r\n"
            facts = dict(w.split("=", 1) for w in hello.split()[1:])
            facts["session"] = s.session
            facts["reused"] = s.session_reused
            s.unwrap()
            return facts


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("kind", list(KINDS))
def test_python(pki, serve, kind, version):
    server = serve([":".join(pki[kind])])
    facts = talk(server, context(pki[kind][0], version))
    assert facts["version"] == version.name.replace("_", ".")
    assert facts["peer"] == "127.0.0.1"
    assert len(facts["binding"]) == 64


def test_names(pki, serve):
    server = serve([":".join(pki["rsa"]), ":".join(pki["p256"]),
                    ":".join(pki["other"]) + ":more.test,extra.test"])
    both = ssl.create_default_context()
    both.check_hostname = False
    both.verify_mode = ssl.CERT_NONE
    wanted = {"mail.test": "mail.test", "other.test": "other.test",
              "extra.test": "other.test", "unknown.test": "mail.test"}
    for name, cert in wanted.items():
        said = s_client(server, "-servername", name)[1]
        assert "subject=CN = " + cert in said, name
    # Both kinds of key under one name.
    for algorithm, kind in (("ECDSA+SHA256", "id-ecPublicKey"),
                            ("RSA-PSS+SHA256", "rsaEncryption")):
        said = s_client(server, "-sigalgs", algorithm)[1]
        assert kind in subprocess.run(
            ["openssl", "x509", "-noout", "-text"], input=said.encode(),
            capture_output=True, check=True).stdout.decode()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_resumes_in_any_process(pki, serve, version):
    server = serve([":".join(pki["p256"])], "-p", "2", "-t")
    ctx = context(pki["p256"][0], version)
    facts = talk(server, ctx)
    assert not facts["reused"]
    seen = set()
    for i in range(40):
        facts = talk(server, ctx, session=facts["session"])
        assert facts["reused"] and facts["resumed"] == "1", i
        seen.add(facts["pid"])
        if i % 10 == 9:
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.05)
        if i > 10 and len(seen) == 2:
            break
        # Keep the first front busy, so that the other gets its share.
        if len(seen) == 1:
            os.kill(int(facts["pid"]), signal.SIGSTOP)
            facts = talk(server, ctx, session=facts["session"])
            os.kill(next(int(p) for p in seen), signal.SIGCONT)
            assert facts["reused"]
            seen.add(facts["pid"])
    assert len(seen) == 2


def test_smtplib_starttls(pki, serve):
    server = serve([":".join(pki["p256"])], "-s")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=10) as s:
        assert s.ehlo()[1].endswith(b"STARTTLS")
        s._host = "mail.test"
        assert s.starttls(context=context(pki["p256"][0]))[0] == 220
        assert s.ehlo()[1].endswith(b"TLSv1.3")
    said = subprocess.run(
        ["openssl", "s_client", "-starttls", "smtp", "-connect",
         "127.0.0.1:%d" % server.port, "-CAfile", pki["p256"][0]],
        input=b"QUIT\r\n", capture_output=True, timeout=20).stdout
    assert b"Verification: OK" in said


def test_starttls_injection(pki, serve):
    """What was sent in clear behind STARTTLS is not heard under TLS."""
    server = serve([":".join(pki["p256"])], "-s")
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        f = raw.makefile("rb", buffering=0)
        assert f.readline().startswith(b"220")
        raw.sendall(b"STARTTLS\r\nEHLO injected\r\n")
        assert f.readline() == b"220 go\r\n"
        with context(pki["p256"][0]).wrap_socket(
                raw, server_hostname="mail.test") as s:
            s.settimeout(0.3)
            with pytest.raises(TimeoutError):
                s.recv(100)
            s.settimeout(10)
            s.sendall(b"EHLO me\r\n")
            assert b"TLSv1.3" in s.recv(100)


def test_bulk(pki, serve):
    """8 MB there and back while the client is slow to read."""
    server = serve([":".join(pki["p256"])])
    data = os.urandom(1 << 20) * 8
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        with context(pki["p256"][0]).wrap_socket(
                raw, server_hostname="mail.test") as s:
            s.recv(1000)
            s.setblocking(False)
            sent, got = 0, bytearray()
            end = time.time() + 60
            while len(got) < len(data) and time.time() < end:
                try:
                    if sent < len(data):
                        sent += s.send(data[sent:sent + 16384])
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    pass
                try:
                    got += s.recv(65536)
                except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    time.sleep(0.0005)
            assert bytes(got) == data


# ---- where the secrets are ----

def secrets(key):
    """The secret numbers of a key file, as bytes."""
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"],
                          check=True, capture_output=True).stdout.decode()
    found = []
    for name in ("priv", "privateExponent", "prime1", "prime2"):
        m = re.search(r"^%s:\n((?:    [0-9a-f:]+\n)+)" % name, text, re.M)
        if m:
            digits = re.sub(r"[^0-9a-f]", "", m.group(1))
            found.append(bytes.fromhex(digits).lstrip(b"\0"))
    assert found
    with open(key) as f:
        body = "".join(f.read().split("\n")[1:-2])
    return found, body


def memory(pid):
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", buffering=0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            if "r" not in rights or "[v" in line:
                continue
            first, last = (int(x, 16) for x in span.split("-"))
            if last - first > 1 << 30:
                continue  # the shadow of a sanitizer
            try:
                mem.seek(first)
                yield mem.read(last - first)
            except OSError:
                pass


def forms(number):
    """As text on the wire has it, and as OpenSSL's numbers lie in memory."""
    return number, number[::-1]


def holds(pid, numbers, pem):
    needles = [f for n in numbers for f in forms(n)]
    needles += [pem[20:60].encode(), pem[-60:-20].encode()]
    chunks = list(memory(pid))
    assert sum(map(len, chunks)) > 1 << 20
    return [n.hex() for n in needles if any(n in c for c in chunks)]


@pytest.mark.skipif(os.geteuid() != 0, reason="reads others' memory")
@pytest.mark.parametrize("kind", list(KINDS))
def test_no_key_in_the_fronts(pki, serve, kind):
    server = serve([":".join(pki[kind])], "-p", "2", "-t")
    for _ in range(4):
        assert s_client(server, "-tls1_2")[0]
        assert s_client(server, "-tls1_3")[0]
    numbers, pem = secrets(pki[kind][1])
    assert holds(server.keys, numbers, pem)  # the search does find them
    for pid in server.fronts + [server.process.pid]:
        assert not holds(pid, numbers, pem)


# ---- when keys goes ----

def test_keys_killed_in_mid_handshake(pki, serve):
    server = serve([":".join(pki["p256"])])
    os.kill(server.keys, signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
        raw.settimeout(10)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        s = context(pki["p256"][0]).wrap_bio(incoming, outgoing,
                                             server_hostname="mail.test")
        with pytest.raises(ssl.SSLWantReadError):
            s.do_handshake()
        raw.sendall(outgoing.read())
        time.sleep(0.2)
        os.kill(server.keys, signal.SIGKILL)
        said = b""
        while True:
            part = raw.recv(4096)
            if not part:
                break
            said += part
        assert said[0] == 0x15 or said[0] == 0x16  # an alert, and the end
    # The front lives, and fails cleanly.
    hello, said = s_client(server)
    assert hello is None and "alert" in said


def test_greeting_is_quick(pki, serve):
    """No waiting for an acknowledgement between ticket and greeting."""
    server = serve([":".join(pki["p256"])], "-t")
    ctx = context(pki["p256"][0])
    times = []
    for _ in range(15):
        t = time.perf_counter()
        with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
            with ctx.wrap_socket(raw, server_hostname="mail.test") as s:
                s.recv(1000)
                times.append(time.perf_counter() - t)
    assert sorted(times)[len(times) // 2] < 0.03
