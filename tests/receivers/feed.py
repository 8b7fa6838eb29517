# SPDX-License-Identifier: LGPL-2.1-or-later
"""policyd's socket as build/tests/serve has it, policyd-forward on it, and certificates for both
ends. All in a directory that an unprivileged user can read: policyd-forward is that user."""

import os
import pwd
import re
import socket
import subprocess
import threading
import time

PATIENCE_S = 60


def wait_until(what, true):
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, f"not in {PATIENCE_S} s: {what}"
        time.sleep(0.05)


def user():
    """Who policyd-forward is: root becomes nobody."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


class Feed:
    """policyd, as far as subscribers see it. Events are numbered from 1 on, over all ends of it; some
    a test gave up."""

    def __init__(self, directory, keep=4 << 20):
        self.directory, self.keep, self.made, self.given_up = directory, keep, 0, 0
        os.chmod(directory, 0o755)
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["build/tests/serve", f"{self.directory}/sock", str(self.keep), str(user().pw_gid),
             str(self.made + 1)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "serving\n"

    def make(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"
        self.made += count

    def end(self, kill=False):
        if kill:
            self.process.kill()
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Forward:
    """policyd-forward; what it says is kept, and how many lines wait, by what it tells systemd."""

    running = []
    started = 0

    def __init__(self, directory, *args):
        become = ["--user", "nobody"] if os.geteuid() == 0 else []
        self.said, self.waiting = "", 0
        Forward.started += 1
        path = f"{directory}/notify{Forward.started}"
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(path)
        os.chmod(path, 0o666)
        self.process = subprocess.Popen(
            ["build/san/policyd-forward", "--socket", f"{directory}/sock", *become, *args],
            stderr=subprocess.PIPE, text=True, env={**os.environ, "NOTIFY_SOCKET": path})
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        threading.Thread(target=self.read_status, daemon=True).start()
        self.running.append(self)

    def read(self):
        for line in self.process.stderr:
            self.said += line

    def read_status(self):
        while status := self.notify.recv(4096):
            if told := re.search(rb"(\d+) waiting", status):
                self.waiting = int(told[1])

    def wait_for_waiting(self, count):
        wait_until(f"{count} lines waiting", lambda: self.waiting >= count)

    def wait_for(self, text, times=1):
        until = time.monotonic() + PATIENCE_S
        while self.said.count(text) < times:
            ended = self.process.poll() is not None and not self.reader.is_alive()
            assert not ended and time.monotonic() < until, f"no '{text}' in: {self.said}"
            time.sleep(0.05)

    @classmethod
    def kill_left(cls):
        """After a failure."""
        for one in list(cls.running):
            one.end(kill=True)

    def end(self, kill=False):
        """Return: its exit status."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        return self.ends()

    def ends(self):
        """Of itself. Return: likewise."""
        self.running.remove(self)
        self.reader.join()
        self.process.stderr.close()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.notify.getsockname())
        return self.process.wait()


def state_directory(directory):
    path = f"{directory}/state"
    os.mkdir(path)
    os.chown(path, user().pw_uid, user().pw_gid)
    return path


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stderr=subprocess.DEVNULL)


def make_ca(directory, name):
    """NAME.pem and NAME.key."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc",
            "-keyout", f"{directory}/{name}.key", "-out", f"{directory}/{name}.pem", "-days", "2",
            "-subj", f"/CN={name}")


def make_certificate(directory, ca, name, alt):
    """NAME.pem and NAME.key, by CA, for the names ALT; readable to policyd-forward."""
    base = f"{directory}/{name}"
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-keyout",
            f"{base}.key", "-out", f"{base}.csr", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={alt}")
    openssl("x509", "-req", "-in", f"{base}.csr", "-CA", f"{directory}/{ca}.pem", "-CAkey",
            f"{directory}/{ca}.key", "-CAcreateserial", "-copy_extensions", "copy", "-days", "2",
            "-out", f"{base}.pem")
    os.chmod(f"{base}.key", 0o644)
