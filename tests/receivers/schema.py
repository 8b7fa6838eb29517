#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Native lines against the published schema: those of tests/receivers/print, all golden lines and
the golden status; with file names, the lines of these files alone: of status where one is called so.

Proves the schema strict too: of each shape of a line one with a field more or less, or with a word
that is in no list, must be refused."""

import copy
import glob
import json
import subprocess
import sys

import jsonschema

import lines

STATUS = "tests/golden/status.json"
# What is there only where there is something to say.
SOMETIMES = {"path_hex", "path_hex_truncated", "host_truncated", "host_hex", "host_hex_truncated"}


EXPLAIN = "tests/golden/explain.json"
# In the model alone, where this host can't do more.
TESTED = b"""version = 1
[guest.a]
[[test]]
guest = "a"
access = "read"
path = "/dev/null"
expect = "deny"
[[test]]
guest = "a"
access = "list"
path_hex = "2fff"
expect = "allow"
"""


def validator(name):
    with open(f"Documentation/schema/{name}.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def broken(event):
    """Copies of a good event that are each wrong in one thing."""
    optional = SOMETIMES | ({"process"} if event["type"] in ("guest", "policy", "shadow") else set())
    for key in event.keys() - optional:
        less = copy.deepcopy(event)
        del less[key]
        yield f"without {key}", less
    yield "with a field more", {**event, "extra": 1}
    yield "with another schema", {**event, "schema": "policyctl/v2"}
    yield "with boot_ns as a number", {**event, "boot_ns": 1}
    for key in ("op", "hook", "reason", "action", "of", "verdict", "resource"):
        if key in event:
            yield f"with an unknown {key}", {**event, key: "nonsense"}
    for key, action, word in (("op", "stale", "open"), ("errno", "refused", "EIO")):
        if event["type"] == "shadow" and event["action"] != action:
            yield f"that is {event['action']} with {key}", {**event, key: word}


def check(tally, schema, text, seen):
    event = json.loads(text)
    tally.lines += 1
    for error in schema.iter_errors(event):
        best = jsonschema.exceptions.best_match([error])
        tally.check(False, f"{best.json_path}: {best.message[:300]} in {text[:200]!r}")
        return event["type"]
    shape = (event["type"], *sorted(event))
    if shape in seen:
        return event["type"]
    seen.add(shape)
    for what, bad in broken(event):
        tally.check(not schema.is_valid(bad), f"the schema takes a {event['type']} {what}")
    return event["type"]


def golden():
    for name in sorted(glob.glob("tests/golden/event_*.json")):
        with open(name, "rb") as file:
            yield from file.read().splitlines()


def given(names):
    for name in names:
        with open(name, "rb") as file:
            yield from file.read().splitlines()


def check_status(tally, schema, where, text):
    for error in schema.iter_errors(json.loads(text)):
        tally.check(False, f"{where}: {error.json_path}: {error.message[:300]}")


def part(name):
    """What the commands but status print: #/$defs/NAME."""
    schema = validator("status").schema
    return jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})


def check_part(tally, name, text):
    schema, value = part(name), json.loads(text)
    check_status(tally, schema, name, text)
    for key in value.keys() - SOMETIMES:
        less = {k: v for k, v in value.items() if k != key}
        tally.check(not schema.is_valid(less), f"the schema takes {name} without {key}")
    tally.check(not schema.is_valid({**value, "extra": 1}), f"the schema takes {name} with more")


def tested():
    run = subprocess.run(["build/policyctl", "test", "--json", "-"], input=TESTED,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return run.stdout


events = validator("events")
tally = lines.Tally("schema")
names = sys.argv[1:]
if names and names[0].endswith("status"):
    texts = list(given(names))
    for text in texts:
        tally.lines += 1
        check_status(tally, validator("status"), names[0], text)
    tally.end(len(texts))
texts = list(given(names)) if names else lines.printed("json") + list(golden())
seen = set()
types = {check(tally, events, text, seen) for text in texts}
if not names:
    lacks = {d["$ref"].rsplit("/", 1)[1].removesuffix("_event") for d in events.schema["oneOf"]} - types
    tally.check(not lacks, f"no line of type {lacks}")
    with open(STATUS, encoding="utf-8") as file:
        check_status(tally, validator("status"), STATUS, file.read())
    with open(EXPLAIN, encoding="utf-8") as file:
        check_part(tally, "explain", file.read())
    check_part(tally, "test", tested())
tally.end(len(texts))
