# SPDX-License-Identifier: ISC
"""The order of a judgement: servers are set up side by side, take turns at the
work, and are taken down."""

import contextlib
import statistics
import sys
import time

from . import servers
from .dovecot import Dovecot, DovecotFast, DovecotHibernate
from .exim import Exim
from .meter import Calls, Peak
from .packages import Packages
from .postfix import Postfix, PostfixDovecot
from .sinks import Sink

KINDS = {k.name: k for k in (
    servers.Veredus, Postfix, PostfixDovecot, Exim, Dovecot, DovecotFast,
    DovecotHibernate)}


def say(text):
    print(f"  {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Stage:
    """Servers set up for a work, and the sinks it sends to; a context manager.
    Those that could not be set up are in `failed`, with the reason."""

    def __init__(self, work, folder, names, packages=None):
        self.work, self.names = work, names
        self.folder = folder / work.name
        self.folder.mkdir(parents=True)
        for f in (folder, self.folder):
            f.chmod(0o711)
        self.packages = packages or Packages(folder / "packages")
        self.servers, self.sinks, self.failed, self.all = [], [], {}, []

    def __enter__(self):
        if self.work.sinks:
            self.packages.fetch("postfix")
            self.sinks = self.work.farm = [
                Sink(self.packages, self.work.sinks_away)
                for _ in range(self.work.sinks)]
        for name in self.names:
            try:
                self.packages.fetch(*(KINDS[name].needs or ()))
                s = KINDS[name](self.folder, self.packages, self.work.accounts,
                                [k.at() for k in self.sinks])
                self.all.append(s)
                s.start()
                self.work.prepare(s)
                self.servers.append(s)
            except Exception as e:
                self.fail(name, e)
        return self

    def fail(self, name, e):
        self.failed[name] = {"error": f"{type(e).__name__}: {e}"}
        self.servers = [s for s in self.servers if s.name != name]
        say(f"{self.work.name}: {name}: {e}")

    def __exit__(self, *_):
        for s in self.all + self.sinks:
            with contextlib.suppress(Exception):
                s.stop()
        for s in self.all:
            with contextlib.suppress(Exception):
                s.remove()


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.packages = Packages(folder / "packages")
        self.used = {}

    def peers(self, work):
        if self.options.peers == "none" or self.options.smoke:
            return []
        if self.options.peers:
            return [p for p in work.peers if p in self.options.peers.split(",")]
        return list(work.peers)

    def scale(self):
        return self.options.scale * (0.02 if self.options.smoke else 1)

    def runs(self, work):
        if self.options.smoke or (work.is_once and not self.options.runs):
            return 1
        return self.options.runs or (5 if self.options.full else 3)

    def do(self, work):
        """name of server -> its figures."""
        if work.is_bare:
            runs = [work.bare(self.folder, self.scale())
                    for _ in range(self.runs(work))]
            return {"machine": figures(runs, [0] * len(runs))}
        with Stage(work, self.folder, ["veredus"] + self.peers(work),
                   self.packages) as stage:
            self.used.update({s.name: s for s in stage.servers})
            rows = self.take_turns(work, stage)
        return {n: rows.get(n) or stage.failed.get(n)
                for n in stage.names}

    def take_turns(self, work, stage):
        """Run after run, server after server; the last turn is the one in
        which calls and memory are counted, and its rate is not."""
        runs = {s.name: [] for s in stage.servers}
        cpu = {s.name: [] for s in stage.servers}
        count = self.runs(work)
        for turn in range(count):
            for s in list(stage.servers):
                try:
                    before = s.group.cpu()
                    run = work.run(s, self.scale())
                    time.sleep(0.2)  # what is tidied up afterwards counts
                    cpu[s.name].append(s.group.cpu()
                                       - (run.cpu_before or before))
                    runs[s.name].append(run)
                    say(f"{work.name}: {s.name}: run {turn + 1} of {count}: "
                        f"{run.value:.4g} {work.unit}")
                except Exception as e:
                    stage.fail(s.name, e)
        if not self.options.smoke:
            for s in list(stage.servers):
                try:
                    self.count(work, s, runs[s.name][-1])
                except Exception as e:
                    stage.fail(s.name, e)
        return {s.name: figures(runs[s.name], cpu[s.name])
                for s in stage.servers}

    def count(self, work, server, last):
        calls, peak = Calls(server.group), Peak(server.group)
        peak.start()
        run = work.run(server, self.scale())
        n = calls.stop()
        last.more["calls"] = n / run.count if n and run.count else None
        last.more["pss_kb"] = peak.stop()


def figures(runs, cpu):
    values = [r.value for r in runs]
    more = runs[-1].more
    out = {"rate": statistics.median(values), "min": min(values),
           "max": max(values), "runs": len(values),
           "cpu_ms": statistics.median(
               c * 1e3 / r.count if r.count else 0 for c, r in zip(cpu, runs)),
           "client_cpu_ms": statistics.median(
               r.client_cpu * 1e3 / r.count if r.count else 0 for r in runs),
           "calls": more.get("calls"), "pss_kb": more.get("pss_kb")}
    out.update({k: v for k, v in more.items() if k not in out})
    return out
