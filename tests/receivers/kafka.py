#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""kafka.py ROOT: policyd-forward sends to a broker, what kcat (unpacked at ROOT) then reads there: each
event, or that it was lost, over ends of broker and forwarder. The broker is librdkafka's own mock."""

import glob
import json
import os
import subprocess
import sys
import tempfile

import feed

TOPIC = "policyd-events"
root = sys.argv[1]


class Broker:
    def __init__(self):
        self.process = subprocess.Popen(["build/tests/mockbroker", TOPIC], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip()

    def say(self, word):
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def messages(self):
        """Key and value of each, all that there are now."""
        libraries = os.pathsep.join(glob.glob(f"{root}/usr/lib/*-linux-gnu*"))
        out = subprocess.run(
            [f"{root}/usr/bin/kcat", "-q", "-C", "-b", self.address, "-t", TOPIC, "-o", "beginning",
             "-e", "-f", "%k %s\n"], check=True, stdout=subprocess.PIPE,
            env={**os.environ, "LD_LIBRARY_PATH": libraries}).stdout.decode()
        return [(key, json.loads(value)) for key, _, value in
                (line.partition(" ") for line in out.splitlines())]

    def account(self):
        """As of forward.py."""
        seqs, lost, messages = set(), {}, self.messages()
        for key, event in messages:
            assert key == event["guest"]["name"] == "web", key
            if event["type"] == "violation":
                seqs.add(event["guest"]["seq"])
            elif event["type"] == "lost":
                lost[event["guest"]["seq"]] = event["count"]
        return seqs, sum(lost.values()), len(messages)

    def wait_for(self, count):
        feed.wait_until(f"{count} events", lambda: self.told() >= count)

    def told(self):
        seqs, lost, _ = self.account()
        return len(seqs) + lost


def args(directory, broker):
    return ["--kafka", broker.address, "--topic", TOPIC, "--state", f"{directory}/state/mark"]


def all_arrive(directory, broker, events):
    forward = feed.Forward(directory, *args(directory, broker), "--kafka-conf", "linger.ms=1")
    events.make(300)
    broker.wait_for(events.made)
    assert forward.end() == 0, forward.said
    seqs, lost, messages = broker.account()
    assert seqs == set(range(1, events.made + 1)) and lost == 0 and messages == events.made


def broker_is_gone(directory, broker, events):
    """More comes than waits anywhere, it is back: each is there, or told as lost."""
    forward = feed.Forward(directory, *args(directory, broker))
    events.make(10)
    broker.wait_for(events.made)
    broker.say("down")
    events.make(20000)
    forward.wait_for("takes no more events")
    broker.say("up")
    broker.wait_for(events.made)
    forward.wait_for("takes events again")
    seqs, lost, _ = broker.account()
    assert lost > 0, "no loss: not more than waits"
    assert len(seqs) + lost == events.made, f"{len(seqs)} + {lost} of {events.made}"
    assert forward.end() == 0, forward.said
    assert "missing" not in forward.said, forward.said


def broker_refuses(directory, broker, events):
    """Something that librdkafka does not try again: we do."""
    forward = feed.Forward(directory, *args(directory, broker))
    broker.say("refuse")
    events.make(10)
    forward.wait_for("takes no more events: Broker: Topic authorization failed")
    broker.wait_for(events.made)
    forward.wait_for("takes events again")
    assert forward.end() == 0, forward.said


def forwarder_is_killed(directory, broker, events):
    for _ in range(3):
        forward = feed.Forward(directory, *args(directory, broker))
        events.make(30)
        forward.end(kill=True)
        events.make(30)
    forward = feed.Forward(directory, *args(directory, broker))
    broker.wait_for(events.made)
    assert forward.end() == 0, forward.said
    assert "missing" not in forward.said, forward.said


def says_what_waits(directory, broker, events):
    """Told to end while the broker is gone: what waits is said, and comes by the next one."""
    broker.say("down")
    forward = feed.Forward(directory, *args(directory, broker))
    events.make(30)
    forward.wait_for("takes no more events")
    forward.wait_for_waiting(30)
    assert forward.end() == 0, forward.said
    assert "30 lines wait that the receiver has not acknowledged" in forward.said, forward.said
    broker.say("up")
    forward = feed.Forward(directory, *args(directory, broker))
    broker.wait_for(events.made)
    assert forward.end() == 0, forward.said


def refuses_settings(directory, broker, _events):
    """No switch that has nobody check a broker's certificate, or that loses messages."""
    path = f"{directory}/settings"
    with open(path, "w", encoding="ascii") as file:
        file.write("# ours\n\nlinger.ms=2\nacks=0\n")
    for setting, why in (("enable.ssl.certificate.verification=false", "not to be set"),
                         ("acks=1", "not to be set"), ("nosuch=1", "nosuch"),
                         (f"@{path}", "'acks'")):
        forward = feed.Forward(directory, *args(directory, broker), "--kafka-conf", setting)
        assert forward.ends() == 2 and why in forward.said, forward.said
        assert "sending" not in forward.said, forward.said


def main():
    with tempfile.TemporaryDirectory() as directory:
        feed.state_directory(directory)
        broker, events = Broker(), feed.Feed(directory, keep=256 << 10)
        try:
            for test in (all_arrive, broker_is_gone, broker_refuses, forwarder_is_killed, says_what_waits,
                         refuses_settings):
                test(directory, broker, events)
                print(f"kafka: {test.__name__}: ok", flush=True)
        finally:
            feed.Forward.kill_left()
            events.end()
            broker.end()


main()
