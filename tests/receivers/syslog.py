#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""syslog.py rsyslog|syslog-ng ROOT: it takes every RFC 5424 message, octet-counted on a stream, and
has the same values as the native JSON.

ROOT is where its package is unpacked (.ci/unpacked.sh). It runs as long as this does, and listens on
a socket in a directory of its own, or on loopback."""

import json
import socket
import sys
import tempfile

import daemons
import lines

RSYSLOG = """
global(workDirectory="{dir}" maxMessageSize="16k")
module(load="imptcp")
module(load="mmpstrucdata")
template(name="line" type="list") {{
  constant(value="{{\\"host\\":\\"") property(name="hostname" format="json")
  constant(value="\\",\\"app\\":\\"") property(name="app-name" format="json")
  constant(value="\\",\\"msgid\\":\\"") property(name="msgid" format="json")
  constant(value="\\",\\"msg\\":\\"") property(name="msg" format="json")
  constant(value="\\",\\"time\\":\\"") property(name="timereported" dateFormat="rfc3339")
  constant(value="\\",\\"data\\":") property(name="$!rfc5424-sd") constant(value="}}\\n")
}}
input(type="imptcp" path="{dir}/in" ruleset="all")
ruleset(name="all") {{
  action(type="mmpstrucdata")
  action(type="omfile" file="{dir}/out" template="line")
}}
"""

SYSLOG_NG = """options {{ log-msg-size(16384); keep-hostname(yes); use-dns(no); dns-cache(no); stats-freq(0);
           frac-digits(6); ts-format(iso); }};
source in {{ syslog(ip("127.0.0.1") port({port}) transport("tcp")); }};
destination out {{ file("{dir}/out" template("$(format-json host=$HOST app=$PROGRAM msgid=$MSGID
  msg=$MESSAGE time=$S_ISODATE --key .SDATA.*)\\n")); }};
log {{ source(in); destination(out); }};
"""


class Rsyslog:
    def start(self, root, directory):
        daemons.start_rsyslog(root, directory, RSYSLOG.format(dir=directory))

    def connect(self, directory):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(f"{directory}/in")
        return stream

    def read(self, got):
        return got, got["data"].get("policyd@32473", {})


class SyslogNg:
    def start(self, root, directory):
        self.port = daemons.start_on_a_port(
            "syslog-ng", root, directory, lambda port: SYSLOG_NG.format(dir=directory, port=port))

    def connect(self, _directory):
        return socket.create_connection(("127.0.0.1", self.port))

    def read(self, got):
        return got, got.get("_SDATA", {}).get("policyd@32473", {})


def receive(receiver, root, messages):
    with tempfile.TemporaryDirectory() as directory:
        receiver.start(root, directory)
        try:
            with receiver.connect(directory) as stream:
                for message in messages:
                    stream.sendall(b"%d %s" % (len(message), message))
                stream.shutdown(socket.SHUT_WR)
                # It closes when it has read all.
                stream.recv(1)
        finally:
            daemons.stop(directory)
        with open(f"{directory}/out", encoding="utf-8", newline="\n") as out:
            return [receiver.read(json.loads(line)) for line in out]


name, root = sys.argv[1:]
receiver = {"rsyslog": Rsyslog, "syslog-ng": SyslogNg}[name]()
messages, events = lines.printed("syslog"), lines.native()
tally = lines.Tally(name)
for (got, data), event in zip(receive(receiver, root, messages), events):
    tally.lines += 1
    tally.check(got["app"] == "policyd", f"app {got['app']}")
    tally.check(got["msgid"] == event["type"], f"msgid {got['msgid']}")
    tally.check(got["time"][:26] == event["time"][:26], f"time {got['time']}")
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
