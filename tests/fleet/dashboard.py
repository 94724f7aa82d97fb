#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dashboard.py: holds the Grafana dashboard against what it is made of.

    dashboard.py DASHBOARD METRICS RULES                     its structure and the names it uses
    dashboard.py DASHBOARD --ask URL --host HOST --vm VM     every query, asked of a Prometheus

METRICS is docs/metrics.md, RULES the recording rules. A query must return data with "All" chosen for
each variable; those with $host and $vm also with that host and that VM. Each line printed is something
that is wrong; the last line of --ask tells on stderr how many were asked.
"""
import argparse
import json
import math
import re
import sys
import time
import urllib.parse
import urllib.request

import yaml

KNOWN_TYPES = {"row", "stat", "table", "timeseries", "state-timeline", "heatmap"}
PROMETHEUS_OWN = {"up", "ALERTS", "scrape_duration_seconds", "scrape_samples_scraped"}
WORDS = {"sum", "count", "topk", "rate", "increase", "by", "on", "or", "and", "group_left", "vector",
         "histogram_quantile", "job"}


def queries_of(dashboard):
    """(what it is, its target) for each query of panels and annotations."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f'panel "{panel["title"]}" {target["refId"]}', target
    for annotation in dashboard["annotations"]["list"]:
        if "expr" in annotation:
            yield f'annotation "{annotation["name"]}"', annotation


def overlaps(one, other):
    return (one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"] and
            one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"])


def check_panels(dashboard):
    panels = dashboard["panels"]
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        yield "two panels have one id"
    for number, panel in enumerate(panels):
        name, grid = panel["title"], panel["gridPos"]
        if panel["type"] not in KNOWN_TYPES:
            yield f"{name}: type {panel['type']}"
        if grid["x"] < 0 or grid["w"] < 1 or grid["h"] < 1 or grid["x"] + grid["w"] > 24:
            yield f"{name}: not within 24 columns"
        for other in panels[:number]:
            if overlaps(grid, other["gridPos"]):
                yield f"{name}: lies over {other['title']}"
        if panel["type"] == "row":
            continue
        if not panel.get("targets") or not panel.get("description") or "defaults" not in panel["fieldConfig"]:
            yield f"{name}: no query, description or fieldConfig"
        for target in panel.get("targets", []):
            if target["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"{name}: not the chosen data source"
    rows = [panel["title"] for panel in panels if panel["type"] == "row"]
    if [row.split()[0].rstrip(":") for row in rows] != ["Fleet", "Host", "VM"]:
        yield f"rows are {rows}"


def check_names(dashboard, metrics, rules):
    """Each name in a query is a metric, a recording rule, a label within braces, or PromQL."""
    with open(metrics, encoding="utf-8") as file:
        known = set(re.findall(r"\b(?:nosnoop|process)_[a-z_]+", file.read()))
    known |= {name + suffix for name in set(known) for suffix in ("_bucket", "_sum", "_count")
              if name.endswith("_seconds")}
    with open(rules, encoding="utf-8") as file:
        for group in yaml.safe_load(file)["groups"]:
            known |= {rule["record"] for rule in group["rules"]}
    for what, target in queries_of(dashboard):
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', target["expr"])
        bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(by|on|group_left)\s*\([^)]*\)", " ", bare)
        for name in re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*", bare):
            if name not in known | PROMETHEUS_OWN | WORDS:
                yield f"{what}: {name} is no metric of ours"


def check_structure(dashboard, metrics, rules):
    variables = [variable["name"] for variable in dashboard["templating"]["list"]]
    if variables != ["datasource", "host", "vm"]:
        yield f"variables are {variables}"
    if dashboard.get("id") is not None or not dashboard["uid"] or dashboard["schemaVersion"] < 39:
        yield "id, uid or schemaVersion"
    yield from check_panels(dashboard)
    yield from check_names(dashboard, metrics, rules)


class Prometheus:
    def __init__(self, url):
        self.url = url
        self.asked = 0

    def get(self, path, **parameters):
        self.asked += 1
        query = urllib.parse.urlencode(parameters, doseq=True)
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{query}", timeout=20) as answer:
                return json.load(answer)["data"], None
        except urllib.error.HTTPError as error:
            return None, json.load(error).get("error", str(error))

    def values(self, target):
        """The numbers that a query returns, over the last minute if it is a range."""
        if target.get("instant"):
            data, error = self.get("/api/v1/query", query=target["expr"])
        else:
            now = time.time()
            data, error = self.get("/api/v1/query_range", query=target["expr"], start=now - 60,
                                   end=now, step=2)
        if error:
            return None, error
        numbers = [float(sample[1]) for series in data["result"]
                   for sample in series.get("values", [series.get("value")])]
        return [number for number in numbers if not math.isnan(number)], None


def substituted(text, host, vm):
    for name, value in (("$host", host), ("$vm", vm), ("$__rate_interval", "30s")):
        text = text.replace(name, value)
    return text


def ask(dashboard, url, host, vm):
    prometheus = Prometheus(url)
    chosen = [(".*", ".*", "All"), (re.escape(host).replace("\\", "\\\\"), vm, f"{vm} on {host}")]
    for what, target in queries_of(dashboard):
        for one_host, one_vm, choice in chosen:
            if choice != "All" and ("$host" not in target["expr"] or what.startswith("annotation")):
                continue
            expr = substituted(target["expr"], one_host, one_vm)
            numbers, error = prometheus.values({**target, "expr": expr})
            if error:
                yield f"{what}, {choice}: {error}: {expr}"
            elif not numbers and (choice == "All" or "$vm" in target["expr"]):
                yield f"{what}, {choice}: no data: {expr}"
    for variable in dashboard["templating"]["list"]:
        match = re.fullmatch(r"label_values\((.*), (\w+)\)", variable.get("definition", ""))
        if variable["type"] == "query" and not match:
            yield f"variable {variable['name']}: {variable.get('definition')}"
        elif match:
            data, error = prometheus.get(f"/api/v1/label/{match[2]}/values",
                                         **{"match[]": substituted(match[1], ".*", ".*")})
            wanted = host if variable["name"] == "host" else vm
            if error or wanted not in data:
                yield f"variable {variable['name']}: {error or 'does not offer ' + wanted}"
    print(f"{prometheus.asked} queries asked", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dashboard")
    parser.add_argument("metrics", nargs="?")
    parser.add_argument("rules", nargs="?")
    parser.add_argument("--ask")
    parser.add_argument("--host")
    parser.add_argument("--vm")
    arguments = parser.parse_args()
    with open(arguments.dashboard, encoding="utf-8") as file:
        dashboard = json.load(file)
    if arguments.ask:
        wrong = ask(dashboard, arguments.ask, arguments.host, arguments.vm)
    else:
        wrong = check_structure(dashboard, arguments.metrics, arguments.rules)
    wrong = list(wrong)
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


main()
