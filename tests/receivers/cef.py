#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""liblognorm's lognormalizer takes every CEF line and has the same values as the native JSON.

It drops the first letter of the first key (2.0.6), so nothing is said of that one."""

import json
import subprocess
import tempfile

import lines

cef, events = lines.printed("cef"), lines.native()
with tempfile.NamedTemporaryFile("w", suffix=".rb") as rules:
    rules.write("version=2\nrule=:%f:cef%\n")
    rules.flush()
    out = subprocess.run(
        ["lognormalizer", "-r", rules.name, "-e", "json"],
        input=b"\n".join(cef) + b"\n", check=True, stdout=subprocess.PIPE).stdout

tally = lines.Tally("lognormalizer")
for line, event in zip(out.splitlines(), events):
    got = json.loads(line).get("f")
    tally.lines += 1
    tally.check(got is not None, f"not taken: {cef[tally.lines - 1][:200]!r}")
    if got is None:
        continue
    ext = got["Extensions"]
    tally.check(got["DeviceProduct"] == "policyd", "another product")
    tally.check(ext.get("act") == event.get("verdict"), f"act {ext.get('act')}")
    if event["guest"]:
        tally.check(ext["cn1"] == str(event["guest"]["seq"]), "cn1 is not seq")
        tally.check(ext.get("cs1") == event["guest"]["name"], "cs1 is not the guest")
    tally.check(
        lines.told(ext.get("filePath"), ext.get("policydPathHex"),
                   "policydPathTruncated" in ext, lines.path_bytes(event)),
        f"filePath {ext.get('filePath')!r} of {event.get('path')!r}")
    process = event.get("process")
    if process:
        tally.check(ext["spid"] == str(process["pid"]), "spid is not the pid")
        tally.check(ext["cs4Label"] == "processUid", "cs4Label")
tally.end(len(events))
