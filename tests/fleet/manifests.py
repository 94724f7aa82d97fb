#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""manifests.py FOLDER CAPABILITIES: what must hold of the Kubernetes manifests in FOLDER.

CAPABILITIES are those of the systemd unit, without CAP_: nobody gets more. PrometheusRule is read from
stdin. Each line printed is something that is wrong. (No schema of Kubernetes is at hand offline: what
is asserted here is what the exporter and its Prometheus depend on.)
"""
import pathlib
import sys

import yaml

TOP_KEYS = {"apiVersion", "kind", "metadata", "spec", "automountServiceAccountToken"}
KINDS = {"Namespace": "v1", "ServiceAccount": "v1", "Service": "v1", "DaemonSet": "apps/v1",
         "NetworkPolicy": "networking.k8s.io/v1", "PodMonitor": "monitoring.coreos.com/v1"}
wrong = []


def must(what, is_so):
    if not is_so:
        wrong.append(what)


def labels_match(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def check_container(container, capabilities):
    security = container["securityContext"]
    must("least privileges", security["privileged"] is False and
         security["allowPrivilegeEscalation"] is False and security["readOnlyRootFilesystem"] is True)
    must("all capabilities dropped", security["capabilities"]["drop"] == ["ALL"])
    must(f"capabilities are the unit's: {sorted(capabilities)}",
         sorted(security["capabilities"]["add"]) == sorted(capabilities))
    must("seccomp", security["seccompProfile"] == {"type": "RuntimeDefault"})
    must("a limit of memory", "memory" in container["resources"]["limits"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    must("the port", ports == {"metrics": 10953})
    for probe, path in (("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready"),
                        ("startupProbe", "/-/healthy")):
        must(probe, container[probe]["httpGet"] == {"path": path, "port": "metrics"})
    must("it listens where it is asked", container["args"] == ["--web.listen-address=0.0.0.0:10953"])
    must("mounts are read-only", all(mount.get("readOnly") for mount in container["volumeMounts"]))


def check_daemonset(daemonset, capabilities):
    spec = daemonset["spec"]["template"]["spec"]
    must("the node's pids, not its network", spec["hostPID"] is True and not spec.get("hostNetwork"))
    must("no token", spec["automountServiceAccountToken"] is False)
    must("its own pods", labels_match(daemonset["spec"]["selector"]["matchLabels"],
                                      daemonset["spec"]["template"]["metadata"]["labels"]))
    must("volumes are mounted", {volume["name"] for volume in spec["volumes"]} ==
         {mount["name"] for mount in spec["containers"][0]["volumeMounts"]})
    must("one container", len(spec["containers"]) == 1)
    check_container(spec["containers"][0], capabilities)


def check_selectors(objects):
    pod = objects["DaemonSet"]["spec"]["template"]["metadata"]["labels"]
    must("the Service finds the pods", labels_match(objects["Service"]["spec"]["selector"], pod))
    must("the NetworkPolicy is theirs",
         labels_match(objects["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"], pod))
    monitor = objects["PodMonitor"]["spec"]
    must("the PodMonitor finds the pods", labels_match(monitor["selector"]["matchLabels"], pod))
    must("the job is nosnoop", pod[monitor["jobLabel"]] == "nosnoop")
    must("the PodMonitor's port", [end["port"] for end in monitor["podMetricsEndpoints"]] == ["metrics"])


def main():
    objects = {}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            kind = document["kind"]
            must(f"{path.name}: {kind} {document['apiVersion']}", KINDS.get(kind) == document["apiVersion"])
            must(f"{path.name}: keys of {kind}", document.keys() <= TOP_KEYS)
            must(f"{path.name}: {kind} is in its namespace",
                 kind == "Namespace" or document["metadata"]["namespace"] == "nosnoop")
            must(f"{kind} stands there twice", kind not in objects)
            objects[kind] = document
    must(f"all kinds: {sorted(KINDS)}", sorted(objects) == sorted(KINDS))
    if not wrong:
        check_daemonset(objects["DaemonSet"], sys.argv[2:])
        check_selectors(objects)
    rule = yaml.safe_load(sys.stdin)
    names = [group["name"] for group in rule["spec"]["groups"]]
    must("PrometheusRule", rule["kind"] == "PrometheusRule" and len(set(names)) == len(names) > 0)
    print("\n".join(wrong), end="\n" if wrong else "")


main()
