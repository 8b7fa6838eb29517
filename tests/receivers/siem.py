#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""siem.py rsyslog|syslog-ng ROOT tcp|unix: it takes, as Documentation/siem/NAME.conf configures it, every
message by that way, sent as policyd sends, and writes the fields there are."""

import json
import subprocess
import sys
import tempfile
import time

import daemons
import lines

PATIENCE_S = 120


def conf(name, directory, port):
    """The file as it is shipped, but for where things lie."""
    with open(f"Documentation/siem/{name}.conf", encoding="ascii") as file:
        text = file.read()
    for what, mine in ((f"/run/policyd-{name}.sock", f"{directory}/in"), ("6514", str(port)),
                       ("/var/log/policyd.jsonl", f"{directory}/out")):
        assert what in text, what
        text = text.replace(what, mine)
    return text


def received(directory, count):
    """The lines, once there are as many: a datagram's sender cannot know when they are read."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            with open(f"{directory}/out", encoding="utf-8", newline="\n") as out:
                got = [json.loads(line) for line in out if line.endswith("\n")]
        except FileNotFoundError:
            got = []
        if len(got) >= count or time.monotonic() > until:
            return got
        time.sleep(0.05)


def receive(name, root, way, messages):
    with tempfile.TemporaryDirectory() as directory:
        port = daemons.start_on_a_port(name, root, directory,
                                       lambda port: conf(name, directory, port))
        try:
            to = f"tcp:127.0.0.1:{port}" if way == "tcp" else f"unix:{directory}/in"
            subprocess.run(["build/tests/send", to], check=True,
                           input=b"".join(message + b"\n" for message in messages))
            return received(directory, len(messages))
        finally:
            daemons.stop(directory)


def fields(got):
    return got.get("fields") or got.get("_SDATA", {}).get("policyd@32473", {})


name, root, way = sys.argv[1:]
messages, events = lines.printed("syslog"), lines.native()
tally = lines.Tally(f"{name}.conf, {way}")
for got, event in zip(receive(name, root, way, messages), events):
    tally.lines += 1
    data = fields(got)
    tally.check(got["type"] == event["type"], f"type {got['type']}")
    tally.check(got["time"][:19] == event["time"][:19], f"time {got['time']}")
    tally.check(got["message"] != "", "no message")
    tally.check(data.get("verdict") == event.get("verdict"), f"verdict {data.get('verdict')}")
    tally.check(
        lines.told(data.get("path"), data.get("path_hex"), "path_truncated" in data,
                   lines.path_bytes(event)),
        f"path {data.get('path')!r} of {event.get('path')!r}")
tally.end(len(events))
