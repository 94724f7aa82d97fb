#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""multiply.py: makes the recording of one host of a fleet out of recordings of other machines.

    multiply.py --host NAME [--times N] [--seconds S] [--live] FILE[@SECOND]...

Each FILE's last snapshot (with --seconds all of them) is taken as it is, but for:
 - the host's name and boot id, and each VM's name (-NAME behind it) and uuid;
 - with --times N the machine's VMs and all that is theirs stand there N times: keys, pids and groups
   are moved, PCI devices get a PCI domain of their own, and names the copy's number;
 - FILE@SECOND shows it so many seconds after the start: a machine that changes;
 - with --seconds S the recording is repeated until it is S seconds long, and counters go on;
 - with --live, what an exporter knows that has its probes attached: a source events.FEATURE for each
   feature of src/probes.c, and for each VM a counter, at zero.
The result is on stdout. No record is made up beyond that.
"""
import argparse
import copy
import json
import pathlib
import re
import sys
import uuid

KEYS = ("vm", "mm", "container", "vfio_group", "vfio_device", "iommufd", "vdpa", "group", "domain",
        "default_domain", "owner", "owner_group")
PIDS = ("pid", "tid", "creator")
ADDRESSES = {"device": ("id", "nosnoop_bdf", "physfn"), "group_device": ("name",), "vfio_device": ("name",)}
ONCE = ("host", "kernel", "source", "iommu", "missing", "truncated", "torn", "event")
PROBES = pathlib.Path(__file__).parents[2] / "src" / "probes.c"
COUNTED = ("exits", "executed", "ignored", "timed", "elapsed_ns")


def snapshots_of(path):
    """The recording's complete snapshots, each a list of records without its end."""
    snapshots, records = [], []
    with open(path, encoding="utf-8") as file:
        next(file)  # the header
        for line in file:
            record = json.loads(line)
            if record["rec"] == "end":
                snapshots.append(records)
                records = []
            else:
                records.append(record)
    if not snapshots:
        sys.exit(f"multiply.py: {path} has no complete snapshot")
    return snapshots


def renamed(record, host, number, times):
    """The record as the machine's copy with that number has it."""
    record = copy.copy(record)
    kind = record["rec"]
    if kind == "host":
        record.update(hostname=host, boot_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, host)))
    if kind == "process" and record.get("name"):
        behind = f"-{host}" if times == 1 else f"-{number}-{host}"
        record["name"] = record["name"].encode()[:255 - len(behind)].decode(errors="ignore") + behind
        record["uuid"] = str(uuid.uuid5(uuid.NAMESPACE_DNS, record["name"]))
    if kind in ONCE or number == 0:
        return record
    for field in record.keys() & set(KEYS):
        record[field] += 1000 * number if record[field] else 0
    for field in record.keys() & set(PIDS):
        record[field] += 10000 * number
    if "group_id" in record:
        record["group_id"] += 1000 * number
    for field in ADDRESSES.get(kind, ()):
        if record.get(field, "").startswith("0000:"):
            record[field] = f"{number:04x}{record[field][4:]}"
    return record


def multiplied(snapshot, host, times):
    records = [renamed(record, host, 0, times) for record in snapshot if record["rec"] in ONCE]
    for number in range(times):
        records += [renamed(r, host, number, times) for r in snapshot if r["rec"] not in ONCE]
    return records


def event_sources():
    # PROBE(name, events, module, points, feature, …
    features = re.findall(r'PROBE\("\w+",[^"]*"\w+",\s*\w+,\s*"(\w+)"', PROBES.read_text(encoding="utf-8"))
    if not features:
        sys.exit(f"multiply.py: no probe found in {PROBES}")
    return [{"rec": "source", "state": 0, "name": f"events.{feature}", "reason": ""}
            for feature in sorted(set(features))]


def made_live(snapshot, sources):
    """With the sources of events, and a counter at zero for each VM that has none."""
    names = {record["name"] for record in snapshot if record["rec"] == "source"}
    counted = {record["vm"] for record in snapshot if record["rec"] == "counter"}
    zero = {name: 0 for name in (*COUNTED, *(f"bucket{i}" for i in range(10)), "sampled")}
    return (snapshot + [source for source in sources if source["name"] not in names] +
            [{"rec": "counter", "vm": record["vm"], **zero} for record in snapshot
             if record["rec"] == "vm" and record["vm"] not in counted])


def taken_at(snapshot):
    return next(record["taken_at"] for record in snapshot if record["rec"] == "host")


def moved(snapshot, nanoseconds, counters):
    """Later by that much, with so many rounds of the counters (vm -> record) before it."""
    records = []
    for record in map(copy.copy, snapshot):
        for field in ("taken_at", "time", "monotonic"):
            if field in record:
                record[field] += nanoseconds
        if record["rec"] == "counter":
            for field in record.keys() - {"rec", "vm", "sampled"}:
                record[field] += counters.get(record["vm"], {}).get(field, 0)
        records.append(record)
    return records


def repeated(snapshots, seconds):
    """The snapshots over and over, until they fill that time."""
    step = taken_at(snapshots[1]) - taken_at(snapshots[0]) if len(snapshots) > 1 else 2 * 10**9
    length = taken_at(snapshots[-1]) - taken_at(snapshots[0]) + step
    rounds, counters = [], {}
    for number in range(max(1, -(-seconds * 10**9 // length))):
        rounds += [moved(snapshot, number * length, counters) for snapshot in snapshots]
        counters = {record["vm"]: record for record in rounds[-1] if record["rec"] == "counter"}
    return rounds


def write(snapshot, out):
    # events stand before the snapshot that follows them
    for record in sorted(snapshot, key=lambda record: record["rec"] != "event"):
        out.write(json.dumps(record) + "\n")
    end = {"rec": "end"}
    for record in snapshot:
        end[record["rec"]] = end.get(record["rec"], 0) + 1
    out.write(json.dumps(end) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", required=True)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--live", action="store_true")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    sources = event_sources() if arguments.live else []
    result, start = [], None
    for file in arguments.files:
        path, _, second = file.partition("@")
        snapshots = snapshots_of(path)
        snapshots = repeated(snapshots, arguments.seconds) if arguments.seconds else snapshots[-1:]
        start = start or taken_at(snapshots[0])
        for snapshot in snapshots:
            if second:
                snapshot = moved(snapshot, start + int(second) * 10**9 - taken_at(snapshot), {})
            if sources:
                snapshot = made_live(snapshot, sources)
            result.append(multiplied(snapshot, arguments.host, arguments.times))
    sys.stdout.write('{"schema":"nosnoop.record/1","tool_version":"0.1.0"}\n')
    for snapshot in result:
        write(snapshot, sys.stdout)


main()
