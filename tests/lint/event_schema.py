#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Validate the golden lines, or the lines of the files given, against the published schema, and
the golden status against its own.

Needs python3-jsonschema. Proves the schema strict too: a line with a field more or less, or with
a word that is in no list, must be refused."""

import copy
import glob
import json
import sys

import jsonschema

STATUS = "tests/golden/status.json"
FILES = sys.argv[1:] or sorted(glob.glob("tests/golden/event_*.json"))


def load(name):
    with open(f"Documentation/schema/{name}.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def broken(event):
    """Copies of a good event that are each wrong in one thing."""
    for key in event:
        less = copy.deepcopy(event)
        del less[key]
        # the two that are only there when there is something to say
        if key not in ("path_hex", "process"):
            yield f"without {key}", less
    yield "with a field more", {**event, "extra": 1}
    yield "with another schema", {**event, "schema": "policyctl/v2"}
    yield "with boot_ns as a number", {**event, "boot_ns": 1}
    for key in ("op", "hook", "reason", "action", "of", "verdict", "resource"):
        if key in event:
            yield f"with an unknown {key}", {**event, key: "nonsense"}


def status_failures():
    with open(STATUS, encoding="utf-8") as file:
        errors = list(load("status").iter_errors(json.load(file)))
    for error in errors:
        print(f"{STATUS}: {error.json_path}: {error.message[:300]}")
    return len(errors)


def main():
    validator = load("events")
    failed = status_failures()
    lines = 0
    for name in FILES:
        with open(name, encoding="utf-8") as file:
            for line in file:
                lines += 1
                event = json.loads(line)
                for error in validator.iter_errors(event):
                    failed += 1
                    print(f"{name}: {error.json_path}: {error.message[:300]}")
                    break
                for what, bad in broken(event):
                    if validator.is_valid(bad):
                        failed += 1
                        print(f"{name}: the schema takes it {what}")
    print(f"{lines} lines, {failed} failures")
    return 1 if failed or not lines else 0


sys.exit(main())
