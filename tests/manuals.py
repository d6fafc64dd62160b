#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Do the documents say what the code does? Run by make check, in the build
folder: generated manual and sample, options, commands, roles, log events."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

top = os.path.abspath(os.environ.get("srcdir", "."))
bad = 0


def say(text):
    global bad
    bad += 1
    print(text)


def source(path):
    with open(os.path.join(top, path), encoding="utf-8") as f:
        return f.read()


def built(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def sources(pattern):
    return sorted(os.path.relpath(p, top)
                  for p in glob.glob(os.path.join(top, pattern)))


def run(*args):
    return subprocess.run(args, capture_output=True, text=True, check=False)


# ---- the generated manual and the sample -------------------------------------

manual = built("doc/veredus.conf.5")
sample = built("doc/veredus.conf.sample")
for name in run("doc/mkconf", "-c").stdout.split():
    section, option = name.split(".")
    part = re.search(rf"^\.Ss {section}\b(.*?)^\.S[sh] ", manual, re.M | re.S)
    if not part or not re.search(rf"^\.It Cm {option} =", part.group(1), re.M):
        say(f"doc/veredus.conf.5: lacks {name}: make it anew")
    if not re.search(rf"^\t#{option} =", sample, re.M):
        say(f"doc/veredus.conf.sample: lacks {name}: make it anew")
if shutil.which("mandoc"):
    for line in run("mandoc", "-Tlint", "-Wwarning",
                    "doc/veredus.conf.5").stdout.splitlines():
        say(line)
with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
    # With every option as it stands there, the defaults must be accepted.
    # A certificate must name files that are there.
    there = re.sub(r'#(chain|key) = ""', rf'\1 = "{os.path.abspath(__file__)}"', sample)
    f.write(re.sub(r"^#(certificate|\})", r"\1",
                   re.sub(r"^\t#([a-z0-9_]+ = )", r"\t\1", there, flags=re.M),
                   flags=re.M))
    f.flush()
    for path in ("doc/veredus.conf.sample", f.name):
        p = run("master/veredusd", "-t", "-c", path)
        if p.returncode:
            say(f"{path} is not accepted: {p.stderr.strip()}")

# ---- the administrator's commands --------------------------------------------

page = source("master/veredus.8")
completion = source("doc/completion/veredus.bash")
usage = run("master/veredus", "--help").stdout
for line in re.findall(r"^  ([a-z].{15}) ", usage, re.M):
    words = line.split()
    if not re.search(rf"^\.It Cm {' '.join(words)}\b", page, re.M):
        say(f"master/veredus.8: lacks the command {' '.join(words)}")
    if not re.search(rf"\b{words[0]}\b", completion) or \
            not re.search(rf"\b{words[-1]}\b", completion):
        say(f"doc/completion/veredus.bash: lacks {' '.join(words)}")

# ---- the pages of the roles --------------------------------------------------

WANTED = ["NAME", "DESCRIPTION", "CONFIGURATION", "FILES", "LOG EVENTS",
          "SECURITY", "EXIT STATUS", "SEE ALSO"]
ROLES = ["master", "resolver", "auth", "msa", "mta", "queue", "mda"]
pages = {p: source(p) for r in ROLES for p in sources(f"{r}/*.[18]")}
programs = set(re.findall(r'\.program = "([a-z]+)"', source("master/roles.c")))
for program in sorted(programs):
    path = [p for p in pages if p.endswith(f"/veredus-{program}.8")]
    if not path:
        say(f"{program} has no page veredus-{program}.8")
        continue
    for title in WANTED:
        if not re.search(rf"^\.Sh {title}$", pages[path[0]], re.M):
            say(f"{path[0]}: has no section {title}")

# ---- events ------------------------------------------------------------------

# What is logged above debug level stands in a LOG EVENTS section; what ends a
# process at its start (fatal) is for its reader to understand as it stands.
documented = set()
for text in pages.values():
    for line in re.findall(r"^\.It Li (.*)$", text, re.M):
        documented.update(re.findall(r"[a-z0-9_]+", line))
for path in [p for f in ["common/*", *ROLES] for p in sources(f"{f}/*.c")]:
    for event in re.findall(
            r'log_(?:info|warn|error)\(\s*"event=([a-z0-9_]+)', source(path)):
        if event not in documented:
            say(f"{path}: event={event} stands in no manual page")

sys.exit(1 if bad else 0)
