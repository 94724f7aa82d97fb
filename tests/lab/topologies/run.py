#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random topologies: makes them from seeds, boots them, compares the audit with the oracle.

One boot for each kind of IOMMU and kernel. What the oracle and the audit disagree on is shrunk to
the fewest steps that still show it, and printed as a cell. The last line is "N passed, N failed,
N skipped". Exit: 0 nothing failed, 1 something failed, 2 bad usage or nothing built.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import oracle
import shrink
import topology

LAB = Path(__file__).resolve().parent.parent
SKIP = 75  # LAB_SKIP of lib.sh
SHRUNK_AT_MOST = 3  # a kernel; each takes a few boots


class Lab:
    """The boots of one kernel, and what came of them."""

    def __init__(self, kernel, build, results):
        self.kernel, self.build, self.results = kernel, build, results
        self.iommufd = kernel.endswith("-iommufd")  # as in # kernels: of boots/
        self.boots = 0

    def boot(self, kind, cells):
        """Boots the cells {name: topology}; gives the folder with a result folder for each."""
        self.boots += 1
        folder = self.results / self.kernel / f"{self.boots}-{kind}"
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "boot.sh"
        script.write_text(topology.script(kind, cells))
        command = [LAB / "boot.sh", "--results", folder, "--build", self.build, self.kernel, script]
        for _ in range(2):  # as run.sh does: once more if it never came to the script
            with open(folder / "boot.log", "w") as log:
                code = subprocess.call(list(map(str, command)), stdout=log, stderr=log)
            if code in (0, SKIP) or (folder / "out.log").exists():
                break
        return folder

    def judge(self, folder, name, topo):
        """("ok"|"skip"|"bad"|"broken", [what is wrong]) of one cell."""
        cell = folder / name
        if (cell / "skip").exists():
            return "skip", [(cell / "skip").read_text().strip()]
        if not (cell / "done").exists():
            boot_log = (folder / "boot.log").read_text().strip().splitlines()
            return "broken", [f"the guest ended before it: {boot_log[-1:] or ''}"]
        if (cell / "broken").exists():
            return "broken", [f"the state could not be made: {cell / 'cell.log'}"]
        try:
            read = lambda file: json.loads((cell / file).read_text())
            variables = read("vars.json")
            bad = oracle.compare(topo, (cell / "steps.log").read_text(), variables,
                                 read("witness.json"), read("audit.json"))
        except (OSError, ValueError, KeyError) as error:
            return "broken", [f"{type(error).__name__}: {error} ({cell})"]
        bad += by_tables(cell)
        return ("bad" if bad else "ok"), bad


def by_tables(cell):
    """What the IOMMU's own page tables say against the audit, as compare() does."""
    tables = cell / "tables.json"
    found = subprocess.run(
        ["jq", "--argjson", "tables", tables.read_text() if tables.exists() else "null",
         "-f", LAB / "tables.jq", cell / "audit.json"],
        check=True, capture_output=True, text=True)
    found = json.loads(found.stdout)
    by_tables.agreed += sum(c["ok"] for c in found["checks"])
    by_tables.without += len(found["without"])
    return [(c["expression"], c["want"], c["got"]) for c in found["checks"] if not c["ok"]]


by_tables.agreed = by_tables.without = 0


def describe(bad):
    return [f"        {b}" if isinstance(b, str) else
            f"        {b[0]}: expected {b[1]}, got {b[2]}" for b in bad]


def reduce(lab, topo, bad):
    """The topology with the fewest steps of which the same is wrong."""
    wrong = {b[0] for b in bad}

    def still(candidates):
        cells = {f"t{i}": dict(topo, steps=steps) for i, steps in enumerate(candidates)}
        if not cells:
            return []
        folder = lab.boot(topo["kind"], cells)
        verdicts = [lab.judge(folder, name, t) for name, t in cells.items()]
        return [state == "bad" and bool(wrong & {b[0] for b in found})
                for state, found in verdicts]

    return dict(topo, steps=shrink.shrink(topo["steps"], still))


def run_kernel(lab, seeds, kinds, count):
    """All seeds of these kinds on one kernel; counts in count[state]."""
    bad_ones = []
    for kind in kinds:
        cells = {f"s{s}": t for s in seeds if (t := topology.generate(s, lab.iommufd))["kind"] == kind}
        if not cells:
            continue
        folder = lab.boot(kind, cells)
        states = {}
        for name, topo in cells.items():
            state, bad = lab.judge(folder, name, topo)
            states[state] = states.get(state, 0) + 1
            count[state] = count.get(state, 0) + 1
            if state == "ok":
                continue
            word = "skip" if state == "skip" else "FAIL"
            print(f"{word}  {lab.kernel} seed {name[1:]} ({kind})", *describe(bad), sep="\n")
            if state == "bad":
                bad_ones.append((name, topo, bad))
        print(f"      {lab.kernel} {kind}: " +
              ", ".join(f"{n} {state}" for state, n in sorted(states.items())), flush=True)
    for name, topo, bad in bad_ones[:SHRUNK_AT_MOST]:
        small = reduce(lab, topo, bad)
        print(f"\n{lab.kernel} seed {name[1:]}, shrunk:\n{topology.cell('shrunk_' + name, small)}",
              flush=True)
    for name, _, _ in bad_ones[SHRUNK_AT_MOST:]:
        print(f"{lab.kernel} seed {name[1:]}: not shrunk, {SHRUNK_AT_MOST} were")


def arguments():
    cache = Path(os.environ.get("NOSNOOP_CACHE") or
                 Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nosnoop")
    p = argparse.ArgumentParser(description="random topologies in the lab, against an oracle")
    p.add_argument("--seeds", type=int, default=50, help="how many (50)")
    p.add_argument("--first", type=int, default=1, help="the first seed (1)")
    p.add_argument("--kernels", default="6.1 newest", help='"6.1 newest", or other keys')
    p.add_argument("--kinds", default=" ".join(topology.KINDS),
                   help=f'of those, the ones with such an IOMMU ("{" ".join(topology.KINDS)}")')
    p.add_argument("--build", type=Path, default=LAB.parent.parent / "build")
    p.add_argument("--results", type=Path, default=cache / "results" / "topologies")
    p.add_argument("--print", type=int, metavar="SEED", help="prints that seed's cell, boots nothing")
    p.add_argument("--iommufd", action="store_true", help="with --print: as kernels with iommufd get it")
    return p.parse_args()


def main():
    args = arguments()
    if args.print is not None:
        topo = topology.generate(args.print, args.iommufd)
        print(topology.script(topo["kind"], {f"s{args.print}": topo}), end="")
        return 0
    if not os.access(args.build / "nosnoop", os.X_OK):
        print(f"run.py: no {args.build}/nosnoop: build it", file=sys.stderr)
        return 2
    count = {}
    for kernel in args.kernels.split():
        code = subprocess.call([str(LAB / "fetch-kernels.sh"), kernel])
        if code == SKIP:
            print(f"skip  {kernel}: not here (see above)")
            count["skip"] = count.get("skip", 0) + args.seeds
        elif code:
            return 2
        else:
            run_kernel(Lab(kernel, args.build, args.results.resolve()),
                       range(args.first, args.first + args.seeds), args.kinds.split(), count)
    print(f"witness of the page tables: {by_tables.agreed} domains agree, "
          f"{by_tables.without} have none")
    failed = count.get("bad", 0) + count.get("broken", 0)
    print(f"{count.get('ok', 0)} passed, {failed} failed, {count.get('skip', 0)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
