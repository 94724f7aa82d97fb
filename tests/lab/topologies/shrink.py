# SPDX-License-Identifier: GPL-2.0-or-later
"""Shrinks a list of steps to the fewest that still show a fault."""


def without(steps, indices):
    """The steps less those; without its "vm" step a VM does nothing."""
    gone = {steps[i][1] for i in indices if steps[i][0] == "vm"}
    return [s for i, s in enumerate(steps)
            if i not in indices and not (s[0] == "step" and s[1] in gone)]


def shrink(steps, still):
    """still(list of candidates) tells of each whether it shows the fault; one call is one boot."""
    prefixes = [steps[:n] for n in range(1, len(steps)) if any(s[0] == "vm" for s in steps[:n])]
    found = [p for p, bad in zip(prefixes, still(prefixes)) if bad]
    if found:
        steps = found[0]
    while True:
        singles = [without(steps, {i}) for i in range(len(steps))]
        hits = [i for i, bad in enumerate(still(singles)) if bad]
        if not hits:
            return steps
        # as many of them at once as go
        together = [without(steps, set(hits[:n])) for n in range(len(hits), 1, -1)]
        found = [t for t, bad in zip(together, still(together)) if bad]
        steps = found[0] if found else singles[hits[0]]
