#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""screens.py: compares screens that a cell kept with those that are expected.

usage: screens.py KERNEL RELEASE DIR [EXPECTED]

DIR/NAME.screen is what tmux captured, EXPECTED (screens/ beside this file) has NAME.text, or NAME.KERNEL.text
where a kernel shows it otherwise. Prints as JSON what differs: a list of lines for each name, and those of
which there is no capture. UPDATE=1 writes what is expected anew: read the difference.

Of a line, only what differs from boot to boot is masked: times, pids, rates (not a rate of 0), durations,
the release, bars. A line without such a thing must be the same to the cell. In one with it, runs of blanks
are as wide as two, because a masked number may be wider or narrower; that the columns of the VMs stay flush
with their headers is looked at in the capture itself.
"""
import difflib
import json
import os
import pathlib
import re
import sys

BAR = "[\u2581-\u258f]"
NUMBER = r"(?!0\b(?!\.))\d[\d.]*[kM]?"  # not a 0, which says that nothing happens

MASKS = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "DATE"),
    (r"\b\d\d:\d\d:\d\d(\.\d{3})?", "TIME"),
    # a bucket's bound is as it is, its count and its bar differ
    (rf"([<>]) ([\d.]+[mnµ]?s) +\d[\d.]*[kM]?( +{BAR}+)?(?= |$)", r"\1 \2 COUNT"),
    (rf"(?<=.){BAR}+", "BARS"),  # not the mark of the row under the cursor
    (rf"{NUMBER} (executed/s|ignored/s|% of a CPU|a second)", r"N \1"),
    (rf"up to {NUMBER}", "up to N"),
    (rf"peak {NUMBER}/s", "peak N/s"),
    (r"(?<![<>] )(?<![\w.])[\d.]+(ns|µs|ms|s)\b", "N"),
    (r"\b\d+ (s|min) ago( +(?=\? help))?", "N s ago  "),  # what follows it is flush right
    (r"probes \d+ of \d+", "probes N of N"),
    (r"\b(pid|PID) \d+", r"\1 N"),
    (r"\blabvm\[\d+\]", "labvm[N]"),
    (r"(?<![:\w])\d{2,}:(\d+)\b(?!:)", r"N:\1"),  # a container is PID:FD
]
VM_ROW = re.compile(r"^(?P<mark>.)(?P<name>web1|db1) +\d+ (?P<fixed> *\d+ +\d+ +\w+ +\d+) (?P<rates>.*)$")
VM_HEADER = re.compile(r"^ VM +PID ")
FLUSH_RIGHT = {"PID", "VCPU", "DEV", "REG", "EXIT/s", "EXEC/s", "TIME%", "P50", "P99", "EXECUTED", "IGNORED"}


def mask_row(match):
    """A row of the VMs: its rates, but which of them are 0 or not known, and what device it has."""
    rates = [re.sub(rf"^{NUMBER}([mnµ]?s)?$", "N", word) for word in match["rates"].split()]
    return " ".join([match["mark"] + match["name"], "N", match["fixed"], *rates])


def mask(line, release):
    masked = line.replace(release, "RELEASE")
    for pattern, replacement in MASKS:
        masked = re.sub(pattern, replacement, masked)
    masked = VM_ROW.sub(mask_row, masked)
    if masked != line or VM_HEADER.match(line):
        masked = re.sub(" {2,}", "  ", masked)
    return masked.rstrip()


def misaligned(lines):
    """Columns of the VMs whose values do not end where their headers do."""
    for number, header in enumerate(lines):
        if not VM_HEADER.match(header):
            continue
        ends = [word.end() for word in re.finditer(r"\S+", header) if word.group() in FLUSH_RIGHT]
        for row in lines[number + 1:]:
            if not VM_ROW.match(row):
                break
            padded = row.ljust(max(ends) + 1)
            yield from (f"not flush right at {end}: {row}" for end in ends
                        if padded[end - 1] == " " or padded[end] != " ")


def expected_of(folder, name, kernel):
    own = folder / f"{name}.{kernel}.text"
    return own if own.exists() else folder / f"{name}.text"


def update(folder, name, kernel, text):
    general = folder / f"{name}.text"
    own = folder / f"{name}.{kernel}.text"
    if kernel == "newest" or not general.exists():
        general.write_text(text)
    elif general.read_text() != text:
        own.write_text(text)
    elif own.exists():
        own.unlink()


def main():
    kernel, release, found = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    folder = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else pathlib.Path(__file__).parent / "screens"
    wrong = {}
    shots = {path.stem: path for path in sorted(found.glob("*.screen"))}
    for name, path in shots.items():
        lines = path.read_text().splitlines()
        got = [mask(line, release) for line in lines]
        (found / f"{name}.text").write_text("\n".join(got) + "\n")
        if os.environ.get("UPDATE"):
            folder.mkdir(exist_ok=True)
            update(folder, name, kernel, "\n".join(got) + "\n")
        want = expected_of(folder, name, kernel)
        diff = list(difflib.unified_diff(want.read_text().splitlines() if want.exists() else [], got,
                                         n=0, lineterm=""))[2:]
        diff += misaligned(lines)
        if diff:
            wrong[name] = diff
    for path in folder.glob("*.text"):
        name = path.name.split(".")[0]
        if name not in shots:
            wrong[name] = ["no such capture"]
    print(json.dumps(wrong))


main()
