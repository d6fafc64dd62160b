# SPDX-License-Identifier: ISC
"""Bars of the ratios, and curves of what a message costs against its size, as
one SVG that a browser shows."""

from html import escape

BAR, GAP, LEFT, WIDE = 14, 6, 230, 620
COLOURS = {"postfix": "#c0504d", "postfix+dovecot": "#8064a2",
           "exim": "#9bbb59", "dovecot": "#4f81bd", "dovecot-fast": "#4bacc6",
           "dovecot-hibernate": "#f79646", "veredus": "#333333"}
SIZES = {"4k": 4, "64k": 64, "1m": 1024}


def text(x, y, s, size=12, anchor="start", more=""):
    return (f'<text x="{x}" y="{y}" font-size="{size}" '
            f'text-anchor="{anchor}" {more}>{escape(str(s))}</text>')


def bars(entries, y):
    """Ratios on a logarithmic scale from a quarter to 64."""
    import math

    def x(r):
        r = min(max(r, 0.25), 64)
        return LEFT + WIDE * (math.log2(r) + 2) / 8

    out = [text(LEFT, y - 26, "How many times better than the peer (1 = alike)",
                14)]
    top = y
    for e in entries:
        for peer, r in e["ratio"].items():
            out.append(text(LEFT - 8, y + BAR - 3, f'{e["work"]} / {peer}', 11,
                            "end"))
            a, b = sorted((x(1), x(r)))
            out.append(f'<rect x="{a:.1f}" y="{y}" width="{b - a:.1f}" '
                       f'height="{BAR}" fill="{COLOURS.get(peer, "#888")}"/>')
            out.append(text(max(b, x(1)) + 4, y + BAR - 3, f"{r:.3g}", 11))
            y += BAR + GAP
    for r in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64):
        out.append(f'<line x1="{x(r):.1f}" y1="{top - 8}" x2="{x(r):.1f}" '
                   f'y2="{y}" stroke="#ccc" stroke-width="'
                   f'{2 if r == 1 else 0.6}"/>')
        out.append(text(x(r), top - 11, f"{r:g}", 10, "middle"))
    return out, y


def curves(entries, y):
    """Processor time of the server for a message, by size, 20 sessions."""
    import math
    points = {}
    for e in entries:
        part = e["work"].split("-")
        if part[0] == "deliver" and part[1] in SIZES and part[-1] == "20":
            for name, r in [("veredus", e["ours"])] + list(e["peers"].items()):
                if r and r.get("cpu_ms"):
                    points.setdefault(name, []).append(
                        (SIZES[part[1]], r["cpu_ms"]))
    points = {k: sorted(v) for k, v in points.items() if len(v) > 1}
    if not points:
        return [], y
    high = 240
    values = [v for p in points.values() for _, v in p]
    low_log = math.floor(math.log10(min(values)))
    top_log = math.ceil(math.log10(max(values)))

    def at(kb, ms):
        return (LEFT + WIDE * (math.log2(kb) - 2) / 8,
                y + high - high * (math.log10(ms) - low_log)
                / max(1, top_log - low_log))

    out = [text(LEFT, y - 14, "Processor milliseconds for a message, against "
                "its size (deliver, 20 sessions, connection per message)", 14)]
    for e in range(low_log, top_log + 1):
        _, yy = at(4, 10.0 ** e)
        out.append(f'<line x1="{LEFT}" y1="{yy:.1f}" x2="{LEFT + WIDE}" '
                   f'y2="{yy:.1f}" stroke="#ddd"/>')
        out.append(text(LEFT - 8, yy + 4, f"{10.0 ** e:g} ms", 10, "end"))
    for label, kb in (("4 KB", 4), ("64 KB", 64), ("1 MB", 1024)):
        out.append(text(at(kb, values[0])[0], y + high + 16, label, 11, "middle"))
    for name, p in points.items():
        path = " ".join("%.1f,%.1f" % at(*q) for q in p)
        colour = COLOURS.get(name, "#888")
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                   'stroke-width="2"/>')
        xx, yy = at(*p[-1])
        out.append(text(xx + 6, yy + 4, name, 11, more=f'fill="{colour}"'))
    return out, y + high + 40


def svg(entries, machine):
    parts, y = [], 70
    shown = [e for e in entries if e["ratio"]]
    more, y = bars(shown, y)
    parts += more
    more, y = curves(entries, y + 50)
    parts += more
    head = text(20, 24, "Veredus beside its peers: " + machine["date"] + ", "
                + machine["processor"] + f', {machine["cores"]} cores, commit '
                + machine["commit"], 14, more='font-weight="bold"')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDE + 150}"'
            f' height="{y + 20}" font-family="sans-serif">'
            '<rect width="100%" height="100%" fill="white"/>'
            + head + "".join(parts) + "</svg>\n")
