#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check.py FILE: an exposition against rules of nosnoop's own, which promtool does not know.

Prints what is wrong, one thing a line. Series are unique; the verdicts of a VM are six and sum to 1;
labels of VMs are valid UTF-8 of at most 128 bytes without control characters but newlines; families
of OpenMetrics have the names that it wants. With --budget, a VM that never flushed has at most 12
series and 1 kB, and one that did 30 and 2.5 kB (devices beyond the first are not counted: they are
what the VM was given).
"""
import re
import sys
from collections import defaultdict

SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"')


def unescape(text):
    return re.sub(r'\\(.)', lambda m: {"n": "\n"}.get(m[1], m[1]), text)


def main():
    budget = "--budget" in sys.argv
    path = [a for a in sys.argv[1:] if not a.startswith("--")][0]
    raw = open(path, "rb").read()
    wrong = []
    try:
        text = raw.decode()
    except UnicodeDecodeError as why:
        print(f"not UTF-8: {why}")
        return
    lines = text.split("\n")
    if lines[-1] != "":
        wrong.append("the last line has no end")
    openmetrics = lines[-2] == "# EOF"
    seen, types = set(), {}
    verdicts = defaultdict(dict)
    size, series, flushed, devices = (defaultdict(int) for _ in range(4))
    for line in lines[:-1]:
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name in types:
                wrong.append(f"TYPE of {name} twice")
            types[name] = kind
            if openmetrics and (name.endswith("_total") or kind == "info" and name.endswith("_info")):
                wrong.append(f"{name}: no name of a family in OpenMetrics")
        if line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        if not match:
            wrong.append(f"no sample: {line!r}")
            continue
        name, labels = match[1], dict(LABEL.findall(match[2] or ""))
        key = (name, tuple(sorted(labels.items())))
        if key in seen:
            wrong.append(f"twice: {line}")
        seen.add(key)
        vm = labels.get("vm")
        if vm is None:
            continue
        plain = unescape(vm)
        if len(plain.encode()) > 128:
            wrong.append(f"{len(plain.encode())} bytes: {vm}")
        if re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", plain):
            wrong.append(f"a control character: {vm!r}")
        if name == "nosnoop_vm_verdict":
            verdicts[vm][labels["verdict"]] = float(match[3])
        if name == "nosnoop_vm_device_info":
            devices[vm] += 1
            if devices[vm] > 1:
                continue
        series[vm] += 1
        size[vm] += len(line.encode()) + 1
        flushed[vm] |= name.startswith("nosnoop_vm_wbinvd_duration_seconds")
    for vm, values in verdicts.items():
        if len(values) != 6 or sum(values.values()) != 1:
            wrong.append(f"verdicts of {vm}: {values}")
    for vm in series if budget else ():
        most, room = (30, 2500) if flushed[vm] else (12, 1000)
        if series[vm] > most or size[vm] > room:
            wrong.append(f"{vm}: {series[vm]} series, {size[vm]} bytes")
    print("\n".join(wrong), end="\n" if wrong else "")


main()
