#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""race.py: holds what nosnoop said while a machine changed against what can have been true.

usage: race.py stamp              copies lines, each with the time behind which it was read
       race.py check PHASES SAID  prints {"checked", "decided", "wrong": [...]}

PHASES: lines "TIME STATE": the machine is on its way to STATE, or in it (the state before may hold
until the next line). STATE is VERDICT/REGISTRATIONS, or none: no VM.
SAID: lines "BEGIN END JSON" or "- END JSON" (then it began when it says it was taken).
"""
import datetime
import json
import sys
import time


def stamp():
    for line in sys.stdin:
        print("-", f"{time.time():.6f}", line, end="", flush=True)


def possible(phases, begin, end):
    """What held at some instant between these two."""
    held = {phases[0][1]}
    for at, states in phases:
        if at <= begin:
            held = set()
        if at <= end:
            held |= states
    return held


def read_phases(path):
    phases = []
    before = None
    for line in open(path):
        at, state = line.split()
        # what leads from one state to the next lies between two lines
        phases.append((float(at), set(state.split(",")) | (before or set())))
        before = set(state.split(","))
    return [(at, frozenset(states)) for at, states in phases]


def judge(said, allowed):
    """What is wrong with it, or None; and whether it decided."""
    vms = said["vms"]
    if not vms:
        return (None if "none" in allowed else "no VM"), True
    if len(vms) > 1:
        return f"{len(vms)} VMs", True
    vm = vms[0]
    if allowed == {"none"}:
        return f"a VM that is gone: {vm['verdict']}", True
    states = [state.split("/") for state in allowed if state != "none"]
    if vm["verdict"] != "unknown" and vm["verdict"] not in {verdict for verdict, _ in states}:
        return f"verdict {vm['verdict']}", True
    if vm["noncoherent_dma"] is not None and str(vm["noncoherent_dma"]) not in {n for _, n in states}:
        return f"{vm['noncoherent_dma']} registrations", True
    return None, vm["verdict"] != "unknown"


def main():
    if sys.argv[1:] == ["stamp"]:
        return stamp()
    phases = read_phases(sys.argv[2])
    wrong, checked, decided = [], 0, 0
    for line in open(sys.argv[3]):
        begin, end, text = line.split(" ", 2)
        try:
            said = json.loads(text)
        except json.JSONDecodeError:
            continue  # the last one, cut short
        taken = datetime.datetime.fromisoformat(said["taken_at"].replace("Z", "+00:00"))
        # taken_at has whole seconds
        begin = taken.timestamp() if begin == "-" else float(begin)
        allowed = possible(phases, begin, float(end))
        what, sure = judge(said, allowed)
        checked += 1
        decided += sure and len(allowed) < 3
        if what:
            wrong.append({"what": what, "allowed": sorted(allowed), "begin": begin, "end": float(end)})
    print(json.dumps({"checked": checked, "decided": decided, "wrong": wrong[:5]}))


if __name__ == "__main__":
    main()
