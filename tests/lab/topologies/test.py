#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What judges the random topologies, tested without a boot: that it agrees with a right audit, and
that it sees each wrong one. Prints a line "ok NAME" or "not ok NAME: why" for each test."""
import copy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import oracle
import shrink
import topology

TOPOLOGY = {"kind": "intel", "unsafe": "Y", "steps": [["vm", "w1", "vm", "vcpu"]]}
LOG = """\
ok vm
w1: ok container:w1k1
w1: ok group:3
w1: ok set-container:3
w1: ok set-iommu
w1: error add:3 ENODEV
"""
VARIABLES = {"w1": 77, "w1_exits": 3, "w1_flushes": 0, "release": "6.12.1-x",
             "groups": {"0000:00:05.0": 3}}
WITNESS = {
    "vms": [{"pid": 77, "noncoherent_dma": 0}],
    "groups": [{"id": 3, "owned": True, "blocking": False, "type": 1, "driver": "intel",
                "force_snooping": 0}],
    "iommus": [{"ecap": "f00f4a"}],
}
AUDIT = {
    "host": {"kvm_criterion": "capability"},
    "vms": [{"pid": 77, "id": "u", "uuid": "u", "noncoherent_dma": 0, "guest_wbinvd": "ignored",
             "verdict": "unsafe"}],
    "domains": [{"id": "g3", "kind": "unmanaged", "groups": [3], "enforced": False}],
    "findings": [{"rule": "NS001", "subject": {"kind": "vm", "id": "u"}}],
    "result": {"exit_code": 1},
}


def wrong(change):
    """What is found if the audit is changed so."""
    audit = copy.deepcopy(AUDIT)
    change(audit)
    return [b[0] for b in oracle.compare(TOPOLOGY, LOG, VARIABLES, WITNESS, audit)]


def test_a_right_audit():
    assert wrong(lambda a: None) == []


def test_a_wrong_verdict():
    assert wrong(lambda a: a["vms"][0].update(verdict="coherent")) == ["w1: verdict"]


def test_a_finding_that_is_not_there():
    assert wrong(lambda a: a["findings"].clear()) == ["w1: NS001 fails"]


def test_a_finding_too_many():
    more = {"rule": "NS005", "subject": {"kind": "vm", "id": "u"}}
    assert wrong(lambda a: a["findings"].append(more)) == ["w1: NS005 fails"]
    more = {"rule": "NS006", "subject": {"kind": "domain", "id": "g3"}}
    assert wrong(lambda a: a["findings"].append(more)) == ["NS006, groups"]


def test_a_wrong_enforcement():
    assert wrong(lambda a: a["domains"][0].update(enforced=True)) == ["group 3: enforced"]


def test_a_wrong_registration_and_exit():
    assert wrong(lambda a: a["vms"][0].update(noncoherent_dma=1)) == ["w1: registered"]
    assert wrong(lambda a: a["result"].update(exit_code=0)) == ["exit code"]


def test_a_vm_that_is_missing():
    assert wrong(lambda a: a["vms"].clear()) == ["VMs"]


def test_the_verdicts():
    v = oracle.verdict
    assert v([], False, False) == "no_passthrough"
    assert v([], True, True) == "unattached" == v([], True, False)
    assert v([True, True], True, False) == "coherent"
    assert v([True, False], True, False) == "unsafe"
    assert v([True], True, True) == "noncoherent" == v([False], True, True)


def test_which_unit_can():
    assert not oracle.unit_can("intel", WITNESS) and not oracle.unit_can("virtio", {})
    assert oracle.unit_can("intel", {"iommus": [{"ecap": "f00fca"}]}) and oracle.unit_can("amd", {})


def held(log):
    return oracle.Held(TOPOLOGY, log, {"0000:00:05.0": 3, "0000:02:02.0": 4})


def test_what_is_held_by_devices():
    now = held("w1: ok iommufd\nw1: ok cdev:0000:00:05.0\nw1: ok add:0000:00:05.0\n")
    assert (now.opened, now.container, now.added) == ({}, {}, [(3, "w1")])
    now = held("w1: ok iommufd\nw1: ok bind:0000:00:05.0\nw1: ok attach:0000:00:05.0\n"
               "w1: ok add:0000:02:02.0\nw1: ok add:4\nw1: ok del:0000:02:02.0\n")
    assert (now.opened, now.container, now.added) == ({3: "w1"}, {3: "w1"}, [(4, "w1")])


def test_what_6_1_would_register():
    now = held(LOG.replace("error add:3 ENODEV", "ok add:3"))
    groups = {3: WITNESS["groups"][0]}
    assert oracle.would_register("w1", now, groups, False, "domain")
    assert not oracle.would_register("w1", now, groups, True, "capability")
    now.container.clear()
    assert not oracle.would_register("w1", now, groups, False, "domain")
    assert oracle.would_register("w1", now, groups, False, "capability")


def test_seeds():
    for iommufd in (False, True):
        made = [topology.generate(s, iommufd) for s in range(300)]
        assert made == [topology.generate(s, iommufd) for s in range(300)]
        assert {t["kind"] for t in made} == set(topology.KINDS)
        assert all(s[0] in ("vm", "step", "flip") for t in made for s in t["steps"])
        text = "".join(topology.cell("x", t) for t in made)
        assert iommufd == ("cdev:$D" in text) == ("set-iommufd:$a" in text)


def test_shrinking():
    steps = topology.generate(44)["steps"]
    needed = [["flip", "off"], steps[1], ["step", "w1", "the-fault"]]
    steps = steps[:6] + needed[:1] + steps[6:9] + needed[2:] + steps[9:]
    boots = []

    def still(candidates):
        boots.append(len(candidates))
        return [needed[0] in c and needed[2] in c and any(s[:2] == ["vm", "w1"] for s in c)
                for c in candidates]

    left = shrink.shrink(steps, still)
    assert len(left) == 3 and needed[0] in left and needed[2] in left, left
    assert len(boots) < 8, boots


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            try:
                test()
                print(f"ok {name}")
            except AssertionError as e:
                print(f"not ok {name}: line {e.__traceback__.tb_next.tb_lineno} {e}")
