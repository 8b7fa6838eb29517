#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""forward.py rsyslog|syslog-ng ROOT [TEST]...: policyd-forward sends to it by TLS, as
Documentation/siem/NAME-tls.conf configures it; what arrives, what does not, and whether each event is
there or counted, over ends of receiver, forwarder and policyd."""

import json
import os
import signal
import socket
import ssl
import sys
import tempfile

import daemons
import feed

name, root, *only = sys.argv[1:]


def conf(directory, port):
    """The file as it is shipped, but for where things lie."""
    with open(f"Documentation/siem/{name}-tls.conf", encoding="ascii") as file:
        text = file.read()
    for what, mine in ((f"/etc/{name}{'.d' if name == 'rsyslog' else ''}/policyd", directory),
                       ("6514", str(port)), ("/var/log/policyd.jsonl", f"{directory}/out")):
        assert what in text, what
        text = text.replace(what, mine)
    return text


class Receiver:
    def __init__(self, directory):
        self.directory = directory
        self.port = daemons.start_on_a_port(name, root, directory,
                                            lambda port: conf(directory, port))

    def again(self):
        daemons.START[name](root, self.directory, conf(self.directory, self.port))

    def kill(self):
        with open(f"{self.directory}/pid", encoding="ascii") as file:
            pid = int(file.read())
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        daemons.select.select([handle], [], [])
        os.close(handle)
        for left in ("pid", "control"):
            if os.path.exists(f"{self.directory}/{left}"):
                os.unlink(f"{self.directory}/{left}")

    def stop(self):
        daemons.stop(self.directory)

    def lines(self):
        try:
            with open(f"{self.directory}/out", encoding="utf-8", newline="\n") as out:
                return [json.loads(line) for line in out if line.endswith("\n")]
        except FileNotFoundError:
            return []

    def account(self):
        """Numbers of violations that are here, how many are told as lost, how many lines."""
        seqs, lost, lines = set(), {}, self.lines()
        for line in lines:
            data = line.get("fields") or line.get("_SDATA", {}).get("policyd@32473", {})
            if line["type"] == "violation":
                seqs.add(int(data["seq"]))
            elif line["type"] == "lost":
                lost[data["event_uid"]] = int(data["count"])
        return seqs, sum(lost.values()), len(lines)

    def told(self):
        seqs, lost, _ = self.account()
        return len(seqs) + lost

    def wait_for(self, count):
        feed.wait_until(f"{count} events", lambda: self.told() >= count)


def options(directory, port, *more):
    return ["--tls", f"127.0.0.1:{port}", "--ca", f"{directory}/ca.pem", "--cert",
            f"{directory}/host.pem", "--key", f"{directory}/host.key", *more]


def all_arrive(directory, receiver, events):
    """With a certificate of ours; by address, and by a name that --name says."""
    for more in ((), ("--name", "logs.example.com")):
        forward = feed.Forward(directory, *options(directory, receiver.port, *more))
        events.make(300)
        receiver.wait_for(events.made)
        assert forward.end() == 0, forward.said
    seqs, lost, _ = receiver.account()
    assert seqs == set(range(1, events.made + 1)) and lost == 0


def refused(directory, receiver, events):
    """Whom we do not know, and who does not know us: nothing is sent, it is said, once."""
    events.make(10)
    ca = ["--tls", f"127.0.0.1:{receiver.port}", "--ca"]
    for args, why in (
            ([*ca, f"{directory}/other.pem", *options(directory, 0)[4:]], "certificate"),
            (options(directory, receiver.port, "--name", "other.example.com"), "mismatch"),
            ([*ca, f"{directory}/ca.pem"], "takes no more events"),
            ([*ca, f"{directory}/ca.pem", "--cert", f"{directory}/stranger.pem", "--key",
              f"{directory}/stranger.key"], "takes no more events")):
        before = receiver.account()
        forward = feed.Forward(directory, *args, "--state", f"{directory}/state/refused")
        forward.wait_for(why)
        forward.wait_for_waiting(10)
        # One who sends all the same would have; that which waits is not delivered.
        assert forward.end() == 0, forward.said
        assert "lines wait" in forward.said, forward.said
        assert forward.said.count("takes no more events") == 1, forward.said
        assert receiver.account() == before, args
        assert not os.path.exists(f"{directory}/state/refused"), args
    # Nothing remembers them.
    forward = feed.Forward(directory, *args)
    forward.wait_for_waiting(10)
    assert forward.end() == 1 and "they are lost" in forward.said, forward.said


def receiver_is_gone(directory, receiver, events):
    """It is killed, more comes than waits anywhere, it is back: each is there, or told as lost."""
    forward = feed.Forward(directory, *options(directory, receiver.port), "--state",
                           f"{directory}/state/mark")
    events.make(10)
    receiver.wait_for(events.made)
    receiver.kill()
    events.make(20000)
    forward.wait_for("takes no more events")
    receiver.again()
    receiver.wait_for(events.made)
    forward.wait_for("takes events again")
    seqs, lost, _ = receiver.account()
    assert lost > 0, "no loss: not more than waits"
    assert len(seqs) + lost == events.made, f"{len(seqs)} + {lost} of {events.made}"
    assert forward.end() == 0, forward.said
    assert "missing" not in forward.said, forward.said


def mark(directory):
    """Of how many events the forwarder says that they are delivered; of all since the boot."""
    with open(f"{directory}/state/mark", encoding="ascii") as file:
        return int(file.read().partition("-")[2])


def done_by_one_that_reads_nothing(directory, events, reset):
    """150 events to a receiver that reads next to nothing; with @reset it dies then. Return: how many
    the forwarder takes for delivered."""
    before = mark(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{directory}/server.pem", f"{directory}/server.key")
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        forward = feed.Forward(directory, *options(directory, listener.getsockname()[1],
                                                   "--state", f"{directory}/state/mark"))
        with context.wrap_socket(listener.accept()[0], server_side=True) as stream:
            listener.close()
            events.make(150)
            stream.recv(1)
            forward.wait_for_waiting(100)
            if not reset:
                assert forward.end() == 0, forward.said
    if reset:
        forward.wait_for("takes no more events")
        assert forward.end() == 0, forward.said
    assert "lines wait" in forward.said, forward.said
    # No more than a receive buffer of 4 KiB and two TLS records hold.
    assert mark(directory) - before <= 50, forward.said
    return mark(directory) - before


def what_is_not_acknowledged_waits(directory, receiver, events):
    """What a receiver's host has no room for is not done, though our own host took it, nor is it when
    the connection breaks; the next start sends exactly that."""
    for reset in (False, True):
        count = receiver.told() + 150 - done_by_one_that_reads_nothing(directory, events, reset)
        forward = feed.Forward(directory, *options(directory, receiver.port, "--state",
                                                   f"{directory}/state/mark"))
        receiver.wait_for(count)
        assert forward.end() == 0, forward.said
        assert receiver.told() == count, reset
    events.given_up += events.made - receiver.told()


def each_version_is_spoken(directory, _receiver, events):
    """TLS 1.2, which has no tickets to wait for, and 1.3; at the end all is there, and close_notify."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(f"{directory}/server.pem", f"{directory}/server.key")
        context.load_verify_locations(f"{directory}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        with socket.create_server(("127.0.0.1", 0)) as listener:
            forward = feed.Forward(directory, *options(directory, listener.getsockname()[1]))
            got = b""
            # Without close_notify, recv() raises.
            with context.wrap_socket(listener.accept()[0], server_side=True,
                                     suppress_ragged_eofs=False) as stream:
                while got.count(b" - violation [") < 20:
                    got += stream.recv(65536)
                forward.process.terminate()
                while data := stream.recv(65536):
                    got += data
            assert forward.end() == 0, forward.said
        while got:
            count, _, rest = got.partition(b" ")
            assert rest.startswith(b"<84>1 "), got[:80]
            got = rest[int(count):]
    assert events.made >= 20


def says_what_it_lacks(directory, receiver, _events):
    """What cannot be is said at once, with its exit status; what may come is waited for."""
    feed.openssl("ec", "-aes128", "-passout", "pass:x", "-in", f"{directory}/host.key", "-out",
                 f"{directory}/locked.key")
    os.chmod(f"{directory}/locked.key", 0o644)
    with open(f"{directory}/garbage", "w", encoding="ascii") as file:
        file.write("garbage\n")
    os.chmod(f"{directory}/garbage", 0o644)
    tls = ["--tls", f"127.0.0.1:{receiver.port}"]
    mine = [*tls, "--ca", f"{directory}/ca.pem", "--cert", f"{directory}/host.pem", "--key"]
    for args, status, why in (
            ([*tls, "--ca", f"{directory}/none"], 4, "No such file"),
            ([*tls, "--ca", f"{directory}/garbage"], 4, "--ca '"),
            ([*mine, f"{directory}/server.key"], 4, "key values mismatch"),
            ([*mine, f"{directory}/locked.key"], 4, "--key '"),
            (options(directory, receiver.port, "--state", f"{directory}/garbage"), 1,
             "is not what --state writes"),
            (options(directory, receiver.port, "--user", "root"), 2, "'root' is root"),
            (options(directory, receiver.port, "--user", "no-such-user"), 4, "no user"),
            (options(directory, receiver.port, "--guest", "\udcff"), 2, "UTF-8")):
        forward = feed.Forward(directory, *args)
        assert forward.ends() == status and why in forward.said, forward.said
    forward = feed.Forward(directory, *options(directory, receiver.port), "--socket",
                           f"{directory}/none")
    forward.wait_for(f"no events from '{directory}/none': No such file or directory, waiting")
    assert forward.end() == 0, forward.said


def forwarder_is_killed(directory, receiver, events):
    """What it had not delivered comes by the next one, and not all again."""
    before = receiver.account()
    args = [*options(directory, receiver.port), "--state", f"{directory}/state/mark"]
    for _ in range(3):
        forward = feed.Forward(directory, *args)
        events.make(30)
        forward.end(kill=True)
        events.make(30)
    forward = feed.Forward(directory, *args)
    receiver.wait_for(events.made - events.given_up)
    assert forward.end() == 0, forward.said
    assert "missing" not in forward.said, forward.said
    seqs, lost, lines = receiver.account()
    assert len(seqs) + lost == events.made - events.given_up and lost == before[1]
    assert lines - before[2] <= 2 * 180, "all again"


def policyd_starts_anew(directory, receiver, events):
    """Told to end, or killed: it goes on in its row; what it had kept and nobody got is counted."""
    args = [*options(directory, receiver.port), "--state", f"{directory}/state/mark"]
    forward = feed.Forward(directory, *args)
    for kill in (False, True):
        events.make(50)
        receiver.wait_for(events.made - events.given_up)
        events.end(kill)
        forward.wait_for("policyd has ended", 1 + kill)
        events.start()
        events.make(50)
        forward.wait_for("policyd serves again", 1 + kill)
        receiver.wait_for(events.made - events.given_up)
        assert "missing" not in forward.said, forward.said
    assert forward.end() == 0, forward.said
    # With no forwarder: 70 come and go with the policyd that kept them.
    events.make(70)
    events.end()
    events.start()
    events.make(30)
    forward = feed.Forward(directory, *args)
    forward.wait_for("70 events came that policyd does not keep any more: they are missing")
    receiver.wait_for(events.made - events.given_up - 70)
    seqs, lost, _ = receiver.account()
    assert len(seqs) + lost == events.made - events.given_up - 70
    assert forward.end() == 0, forward.said


def main():
    with tempfile.TemporaryDirectory() as directory:
        feed.state_directory(directory)
        for ca in ("ca", "other"):
            feed.make_ca(directory, ca)
        feed.make_certificate(directory, "ca", "server", "IP:127.0.0.1,DNS:logs.example.com")
        feed.make_certificate(directory, "ca", "host", "DNS:host.example.com")
        feed.make_certificate(directory, "other", "stranger", "DNS:stranger.example.com")
        receiver, events = Receiver(directory), feed.Feed(directory, keep=256 << 10)
        try:
            for test in (all_arrive, refused, receiver_is_gone, what_is_not_acknowledged_waits,
                         each_version_is_spoken, says_what_it_lacks, forwarder_is_killed,
                         policyd_starts_anew):
                if only and test.__name__ not in only:
                    continue
                test(directory, receiver, events)
                print(f"{name}-tls.conf: {test.__name__}: ok", flush=True)
        finally:
            feed.Forward.kill_left()
            events.end()
            receiver.stop()


main()
