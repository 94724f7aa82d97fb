#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Validates JSON files against a schema, and against a strict copy of it.

    validate.py SCHEMA FILE...

The strict copy allows no key that the schema does not name, so that no undocumented key gets out.
Beyond the schema: each null among the facts must have its row in unknown[]. Prints a line for each
failure; exits 1 if there is one.
"""
import json
import sys

import jsonschema

KINDS = ("iommus", "vms", "containers", "domains", "groups", "devices")


def strict(node):
    """A copy of a schema in which every object with properties has no others."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {key: strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and "type" in node:
        copy.setdefault("additionalProperties", False)
    return copy


def nulls(value, path):
    """The paths of all nulls below an object, nested lists included."""
    if value is None:
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from nulls(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from nulls(inner, path)


def unexplained(audit):
    """Nulls without a reason."""
    known = {(row["fact"], row["subject"]) for row in audit["unknown"]}
    objects = [("host", "host", audit["host"])]
    for kind in KINDS:
        objects += [(kind, str(item["id"]), item) for item in audit[kind]]
    for kind, subject, item in objects:
        for fact in nulls(item, kind):
            if (fact, subject) not in known and (fact, "*") not in known:
                yield f"{fact} of {subject} is null, and unknown[] does not say why"


def check(schema, path):
    errors = []
    with open(path, encoding="utf-8") as file:
        audit = json.load(file)
    for name, variant in (("schema", schema), ("strict schema", strict(schema))):
        validator = jsonschema.Draft202012Validator(variant)
        for error in validator.iter_errors(audit):
            where = "/".join(str(step) for step in error.absolute_path)
            errors.append(f"{name}: {where}: {error.message[:200]}")
    return errors or list(unexplained(audit))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    failed = False
    for path in sys.argv[2:]:
        for error in check(schema, path):
            print(f"{path}: {error}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
