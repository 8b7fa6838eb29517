#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rsyslog takes every RFC 5424 message, octet-counted on a stream, and has the same values as the
native JSON. Its own files, unpacked (.ci/rsyslog.sh); it runs as long as this does, and listens on a
socket in a directory of its own."""

import glob
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile

import lines

CONF = """
global(workDirectory="{dir}" maxMessageSize="16k")
module(load="imptcp")
module(load="mmpstrucdata")
template(name="line" type="list") {{
  constant(value="{{\\"pri\\":\\"") property(name="pri")
  constant(value="\\",\\"time\\":\\"") property(name="timereported" dateFormat="rfc3339")
  constant(value="\\",\\"host\\":\\"") property(name="hostname" format="json")
  constant(value="\\",\\"app\\":\\"") property(name="app-name" format="json")
  constant(value="\\",\\"msgid\\":\\"") property(name="msgid" format="json")
  constant(value="\\",\\"msg\\":\\"") property(name="msg" format="json")
  constant(value="\\",\\"data\\":") property(name="$!rfc5424-sd") constant(value="}}\\n")
}}
input(type="imptcp" path="{dir}/in" ruleset="all")
ruleset(name="all") {{
  action(type="mmpstrucdata")
  action(type="omfile" file="{dir}/out" template="line")
}}
"""


def start(root, directory):
    """rsyslogd, once it listens: it forks when it does."""
    with open(f"{directory}/conf", "w", encoding="ascii") as conf:
        conf.write(CONF.format(dir=directory))
    modules = glob.glob(f"{root}/usr/lib/*/rsyslog")[0]
    subprocess.run(
        [f"{root}/usr/sbin/rsyslogd", "-M", modules, "-f", f"{directory}/conf",
         "-i", f"{directory}/pid"], check=True)
    with open(f"{directory}/pid", encoding="ascii") as pid:
        return int(pid.read())


def stop(pid):
    """It writes what it has, then ends: wait for the end, not for a time."""
    handle = os.pidfd_open(pid)
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    select.select([handle], [], [])
    os.close(handle)


def receive(root, messages):
    with tempfile.TemporaryDirectory() as directory:
        pid = start(root, directory)
        try:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.connect(f"{directory}/in")
                for message in messages:
                    stream.sendall(b"%d %s" % (len(message), message))
                stream.shutdown(socket.SHUT_WR)
                # It closes when it has read all.
                stream.recv(1)
        finally:
            stop(pid)
        with open(f"{directory}/out", encoding="utf-8", newline="\n") as out:
            return [json.loads(line) for line in out]


messages, events = lines.printed("syslog"), lines.native()
tally = lines.Tally("rsyslog")
for got, event in zip(receive(sys.argv[1], messages), events):
    tally.lines += 1
    data = got["data"].get("policyd@32473", {})
    tally.check(got["app"] == "policyd", f"app {got['app']}")
    tally.check(got["msgid"] == event["type"], f"msgid {got['msgid']}")
    tally.check(got["time"] == event["time"][:26] + "Z", f"time {got['time']}")
    tally.check(data.get("verdict") == event.get("verdict"), f"verdict {data.get('verdict')}")
    if event["guest"]:
        tally.check(data["seq"] == str(event["guest"]["seq"]), "seq")
        tally.check(data.get("guest") == event["guest"]["name"], "guest")
    tally.check(
        lines.told(data.get("path"), data.get("path_hex"), "path_truncated" in data,
                   lines.path_bytes(event)),
        f"path {data.get('path')!r} of {event.get('path')!r}")
    process = event.get("process")
    if process:
        tally.check(data["pid"] == str(process["pid"]), "pid")
        tally.check(data["uid"] == str(process["uid"]), "uid")
    tally.check(got["msg"] != "", "no message")
tally.end(len(events))
