# SPDX-License-Identifier: LGPL-2.1-or-later
"""rsyslog and syslog-ng, unpacked and not installed: each on a directory of its own, from a
configuration, until stop()."""

import glob
import os
import select
import signal
import socket
import subprocess


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def free_port():
    """Of loopback; somebody may take it meanwhile."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start_rsyslog(root, directory, conf, check=True):
    """Returns when it listens: it forks then. Return: whether it does."""
    write(f"{directory}/conf", conf)
    modules = glob.glob(f"{root}/usr/lib/*/rsyslog")[0]
    libraries = os.pathsep.join(glob.glob(f"{root}/usr/lib/*-linux-gnu*"))
    return subprocess.run(
        [f"{root}/usr/sbin/rsyslogd", "-M", modules, "-f", f"{directory}/conf",
         "-i", f"{directory}/pid"], check=check,
        env={**os.environ, "LD_LIBRARY_PATH": libraries}).returncode == 0


def start_syslog_ng(root, directory, conf, check=True):
    """Likewise; @version stands for the one that it is."""
    home = os.path.dirname(glob.glob(f"{root}/usr/lib/**/libafsocket.so", recursive=True)[0])
    libraries = glob.glob(f"{root}/usr/lib/*-linux-gnu*") + [os.path.dirname(home)]
    write(f"{directory}/conf", f"@version: {os.path.basename(home)}\n{conf}")
    return subprocess.run(
        [f"{root}/usr/sbin/syslog-ng", "--process-mode=background", "--no-caps",
         f"--module-path={home}", f"--cfgfile={directory}/conf",
         f"--persist-file={directory}/persist", f"--pidfile={directory}/pid",
         f"--control={directory}/control"], check=check,
        env={**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(libraries)}).returncode == 0


START = {"rsyslog": start_rsyslog, "syslog-ng": start_syslog_ng}


def start_on_a_port(name, root, directory, conf):
    """@conf(port) is the configuration; another port if one is taken. Return: the port."""
    for left in (2, 1, 0):
        port = free_port()
        if START[name](root, directory, conf(port), check=left == 0):
            return port
    raise AssertionError


def stop(directory):
    """It writes what it has, then ends: wait for the end, not for a time."""
    with open(f"{directory}/pid", encoding="ascii") as file:
        handle = os.pidfd_open(int(file.read()))
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    select.select([handle], [], [])
    os.close(handle)
