#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""table.py KERNEL FIGURES: a row of live.sh's table: medians of what boot_live.sh noted."""
import statistics
import sys


def main():
    values = {}
    for line in open(sys.argv[2]):
        name, *numbers = line.split()
        values.setdefault(name, []).append([float(number) for number in numbers])

    def median(name, value=lambda numbers: numbers[0]):
        found = [value(numbers) for numbers in values.get(name, []) if numbers]
        return statistics.median(found) if found else None

    def show(number, form="{:.0f}"):
        return "-" if number is None else form.format(number)

    def ratio(ours, others):
        others = [other for other in others if other is not None]
        return ours / min(others) if ours is not None and others else None

    ours, kfunc, kprobe = median("cost_nosnoop"), median("cost_kfunc"), median("cost_kprobe")
    screen, starts = median("start_nosnooptop"), [median("start_kfunc"), median("start_kprobe")]
    cells = [
        sys.argv[1], show(ours), show(kfunc), show(kprobe),
        show(ratio(ours, [kfunc, kprobe]), "{:.2f}"),
        show(median("cost_nosnoop", lambda numbers: numbers[1]), "{:.2f}"),
        show(median("runs_at_5000_other_exits")),
        show(screen, "{:.2f}"), *(show(start, "{:.2f}") for start in starts),
        show(ratio(screen, starts), "{:.2f}"),
    ]
    print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
