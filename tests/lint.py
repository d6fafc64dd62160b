#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the compiler does not say: layers, headers that stand alone, banned
functions, licence lines, manual pages, options with their sentence."""
import glob
import os
import re
import subprocess
import sys

top, out = sys.argv[1], open(sys.argv[2], "w")
os.chdir(top)
bad = 0


def say(text):
    global bad
    bad += 1
    print(text, file=out)


def files(*patterns):
    for pattern in patterns:
        yield from sorted(glob.glob(pattern, recursive=True))


ROLES = ["master", "resolver", "auth", "msa", "mta", "queue", "mda"]
# Which layers a folder may include from (doc/ARCHITECTURE.md, "Layers").
LAYERS = {
    "common/base": ["base"],
    "common/proto": ["base", "proto"],
    "common/sys": ["base", "sys", "conf"],
    "common/conf": ["base", "sys", "conf"],
    "common/session": ["base", "proto", "sys", "conf", "session"],
}
for role in ROLES:
    LAYERS[role] = ["base", "proto", "sys", "conf", "session", role]
# SASL names and statuses that both speak of; each is argued in its header.
ALLOWED = {("common/sys", "proto/sasl.h"), ("common/sys", "proto/scram.h"),
           ("common/sys", "proto/ip.h")}

for folder, may in LAYERS.items():
    for path in files(f"{folder}/*.[ch]"):
        for n, line in enumerate(open(path, errors="replace"), 1):
            m = re.match(r'#include "([a-z]+)/([^"]+)"', line)
            if m and m.group(1) not in may and \
                    (folder, f"{m.group(1)}/{m.group(2)}") not in ALLOWED:
                say(f"{path}:{n}: {folder} must not include {m.group(0)}")

BANNED = re.compile(
    r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|strtok|gets|ctime|asctime|"
    r"atoi|atol|strncpy|strncat|tmpnam|mktemp|alloca)\s*\(")
for path in files("common/**/*.[ch]", *[f"{r}/**/*.[ch]" for r in ROLES]):
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group(0).count("\n"),
                  open(path, errors="replace").read(), flags=re.S)
    for n, line in enumerate(text.split("\n"), 1):
        line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        if BANNED.search(line):
            say(f"{path}:{n}: banned: {line.strip()}")
        if "//" in line and "http" not in line:
            say(f"{path}:{n}: // comment")

for path in files("common/**/*.[ch]", "tests/**/*.[ch]", "tests/**/*.py",
                  *[f"{r}/**/*.[ch]" for r in ROLES]):
    if path.endswith("suites.h"):
        continue
    if "SPDX-License-Identifier: ISC" not in open(path, errors="replace").read(400):
        say(f"{path}: no SPDX line")

for path in files("common/**/*.h", *[f"{r}/**/*.h" for r in ROLES]):
    p = subprocess.run(
        ["gcc", "-std=gnu17", "-fsyntax-only", "-Icommon", "-I.", "-D_GNU_SOURCE",
         "-DVD_STATEDIR=\"\"", "-DVD_SYSCONFDIR=\"\"", "-x", "c", "-include", path, "/dev/null"],
        capture_output=True, text=True)
    if p.returncode:
        say(f"{path}: does not stand alone: {p.stderr.splitlines()[0]}")

for path in files("common/*/*.c", *[f"{r}/*.c" for r in ROLES]):
    header = path[:-2] + ".h"
    if not os.path.exists(header):
        continue
    own = "/".join(header.split("/")[1:]) if header.startswith("common/") else header
    first = re.search(r'^#include .*$', open(path, errors="replace").read(), re.M)
    if first and first.group(0) != f'#include "{own}"':
        say(f"{path}: its own header must come first")

for path in files("common/*/*.[1578]", "doc/*.[1578]", *[f"{r}/*.[1578]" for r in ROLES]):
    p = subprocess.run(["mandoc", "-Tlint", "-Wwarning", path],
                       capture_output=True, text=True)
    for line in p.stdout.splitlines():
        say(line)

sys.exit(1 if bad else 0)
