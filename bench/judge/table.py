# SPDX-License-Identifier: ISC
"""The results: as a table to read, as JSON, and the ratios between."""


def ratio(work, ours, theirs):
    """Above 1 where we are better."""
    a, b = (ours, theirs) if work.higher else (theirs, ours)
    return a / b if b else float("inf")


def number(x):
    if x is None:
        return "-"
    if x >= 1000:
        return f"{x:,.0f}"
    return f"{x:.3g}"


def entry(results, name):
    """One work's row of the JSON."""
    work, rows = results
    ours = rows.get("veredus") or rows.get("machine")
    peers = {k: v for k, v in rows.items() if v is not ours}
    return {"work": name, "unit": work.unit, "ours": ours, "peers": peers,
            "ratio": {k: round(ratio(work, ours["rate"], v["rate"]), 3)
                      for k, v in peers.items() if "rate" in v and "rate" in ours}}


HEAD = ("work", "server", "unit", "median", "min", "max", "ratio", "cpu ms",
        "calls", "client", "PSS MB")


def lines(entries):
    """The table; a row for each server, ours first."""
    rows, failures = [HEAD], []
    for e in entries:
        for name, r in [("veredus", e["ours"])] + list(e["peers"].items()):
            if r is None:
                continue
            if "error" in r:
                rows.append((e["work"], name, e["unit"], "failed")
                            + ("",) * (len(HEAD) - 4))
                failures.append(f'{e["work"]}: {name}: {r["error"]}')
                continue
            label = "machine" if e["work"].startswith("limit") else name
            rows.append((
                e["work"], label, e["unit"], number(r["rate"]),
                number(r["min"]), number(r["max"]),
                number(e["ratio"].get(name)) if name in e["ratio"] else "",
                number(r.get("cpu_ms")), number(r.get("calls")),
                number(r.get("client_cpu_ms")),
                number(r["pss_kb"] / 1024) if r.get("pss_kb") else "-"))
    widths = [max(len(str(r[i])) for r in rows) for i in range(len(HEAD))]
    out, last = [], None
    for r in rows:
        if last is not None and r[0] == last:
            r = ("",) + r[1:]
        else:
            last = r[0]
        out.append("  ".join(
            str(c).ljust(w) if i < 3 else str(c).rjust(w)
            for i, (c, w) in enumerate(zip(r, widths))).rstrip())
    out.insert(1, "-" * len(out[0]))
    return out + failures
