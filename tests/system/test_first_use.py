# SPDX-License-Identifier: ISC
"""What somebody meets who follows the README on a stock Debian: the unit that
is installed, the default folder of the mailboxes, and one that others use."""

import grp
import os
import pathlib
import subprocess

import pytest

from server import BUILD, ROOT, Server, letter

TOP = pathlib.Path(__file__).resolve().parents[2]
EX_CONFIG = 78


def unit():
    """The settings of the unit, without its comments."""
    text = (TOP / "doc/systemd/veredusd.service.in").read_text()
    return [line for line in text.splitlines() if line and line[0] not in "#["]


def test_unit_lets_the_drop_folder_be_made():
    # It forbids chmod with a set-gid bit, which pickup's folders have.
    assert not [line for line in unit() if line.startswith("RestrictSUIDSGID=")]


def test_unit_gives_up_a_wrong_configuration():
    """veredusd ends with 78 then: a restart every five seconds mends nothing."""
    text = unit()
    assert "RestartPreventExitStatus=64 78" in text
    assert any(line.startswith("StartLimitIntervalSec=") for line in text)


def test_install_and_uninstall(tmp_path):
    make = lambda what: subprocess.run(["make", "-C", BUILD, what, f"DESTDIR={tmp_path}"],
                                       capture_output=True, text=True, check=True)
    make("install")
    sendmail = next(tmp_path.rglob("sbin/sendmail"))
    for name in ("bin/mailq", "bin/newaliases", "lib/sendmail"):
        link = sendmail.parents[1] / name
        # Relative, for what is packed elsewhere than where it will live.
        assert not os.readlink(link).startswith("/") and link.resolve() == sendmail
    env = dict(os.environ, PATH=f"{sendmail.parents[1]}/bin:{os.environ['PATH']}")
    p = subprocess.run(["newaliases"], capture_output=True, text=True, env=env,
                       executable=sendmail.parents[1] / "bin/newaliases")
    assert p.returncode == 0, p.stderr
    make("uninstall")
    assert not [p for p in tmp_path.rglob("*") if not p.is_dir()]


@pytest.mark.skipif(not ROOT, reason="one user for everything")
def test_missing_system_user(made):
    s = made(0o755)
    s.conf.write_text(s.conf.read_text().replace("server {", "server {\n\tuser = nosuch", 1))
    p = subprocess.run([BUILD / "master/veredusd", "-c", s.conf, "-L", s.libexec],
                       capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert p.returncode == EX_CONFIG
    assert "needs the system user nosuch-smtpd, which does not exist" in p.stderr


# ---- the folder of the mailboxes ----

@pytest.fixture
def made():
    servers = []

    def make(mode, group=0):
        s = Server()
        root = s.folder / "mail"
        root.mkdir()
        os.chown(root, 0, group)
        root.chmod(mode)
        servers.append(s)
        return s

    yield make
    for s in servers:
        s.remove()


def test_default_mail_root_is_our_own(tmp_path):
    conf = tmp_path / "veredus.conf"
    conf.write_text("server { }\n")
    shown = subprocess.run([BUILD / "master/veredus", "-c", conf, "config", "show"],
                           capture_output=True, text=True, check=True).stdout
    value = {k.strip(): v for k, _, v in
             (line.partition("=") for line in shown.splitlines())}
    assert value["mail_roots"].split("}")[0].strip(' {"').endswith("/lib/veredus/mail")


@pytest.mark.skipif(not ROOT, reason="only root gives homes away")
def test_set_gid_mail_root(made):
    """What is made below it is set-gid too: a home is given away all the same."""
    s = made(0o2755, grp.getgrnam("mail").gr_gid).start()
    with s.smtp() as c:
        c.sendmail("alice@example.test", ["bob@example.test"], letter("set-gid"))
    assert any(b"Subject: set-gid" in m for m in s.wait_messages(1))


@pytest.mark.skipif(not ROOT, reason="one user owns everything")
@pytest.mark.parametrize("mode,owner", [(0o2775, 0), (0o1777, 0), (0o755, 65534)])
def test_mail_root_of_others(made, mode, owner):
    """As /var/mail is: whoever may write there could exchange a home."""
    s = made(mode, grp.getgrnam("mail").gr_gid)
    root = s.folder / "mail"
    os.chown(root, owner, -1)
    p = subprocess.run([BUILD / "master/veredusd", "-c", s.conf, "-L", s.libexec],
                       capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert p.returncode == EX_CONFIG
    assert f"mail root {root} has owner {owner} and mode {mode:04o}" in p.stderr
    assert "server.mail_roots" in p.stderr
