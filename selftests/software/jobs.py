# SPDX-License-Identifier: LGPL-2.1-or-later
#
# jobs.py COMMAND...: an interactive shell on a terminal of its own, and somebody who types: ^Z, jobs,
# fg, ^C. Prints what came of it.
import os
import pty
import select
import signal
import sys

pid, terminal = pty.fork()
if pid == 0:
    os.environ["PS1"] = "ready> "
    os.execvp(sys.argv[1], sys.argv[1:])
seen = ""


def until(text):
    global seen
    while text not in seen:
        if not select.select([terminal], [], [], 60)[0]:
            os.kill(pid, signal.SIGKILL)
            sys.exit(f"'{text}' does not come, but {seen!r}")
        seen += os.read(terminal, 4096).decode()
    seen = seen.partition(text)[2]
    print("seen:", text.strip())


def types(text):
    os.write(terminal, text.encode())


until("ready> ")
# What the job itself prints says that it has the terminal: what is typed then is for it. It forks
# nothing: a shell that is in vfork when it is stopped does not stop.
types("sh -c 'trap \"echo continued\" CONT; echo on $$; while :; do :; done'\n")
until("\non ")
types("\x1a")
until("ready> ")
types("jobs\n")
until("Stopped")
types("echo to the terminal >/dev/tty; fg\n")
until("to the terminal\r")
until("continued\r")
types("\x03")
until("ready> ")
types("echo status $?; exit 9\n")
until("status 130")
print("exit:", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
