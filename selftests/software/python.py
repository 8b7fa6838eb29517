#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What Python programs do, in the directory that they are started in; TMPDIR is tmp there.
import asyncio
import concurrent.futures
import ctypes
import hashlib
import json
import mmap
import multiprocessing
import os
import pathlib
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import zipfile

here = pathlib.Path.cwd()

# A module of its own: its compiled form is written beside it.
(here / "own").mkdir()
(here / "own" / "__init__.py").write_text("def twice(x):\n    return 2 * x\n")
sys.path.insert(0, str(here))
import own

print("import:", own.twice(21), sorted(p.suffix for p in (here / "own/__pycache__").iterdir()))

data = {"k": [1, 2.5, None, "ü"], "n": {"deep": True}}
(here / "d.json").write_text(json.dumps(data))
print("json:", json.loads((here / "d.json").read_text()) == data)

db = sqlite3.connect("d.sqlite")
db.execute("create table t(a, b)")
db.executemany("insert into t values(?, ?)", ((i, i * i) for i in range(1000)))
db.commit()
print("sqlite3:", db.execute("select count(*), sum(b) from t").fetchone())
db.close()

out = subprocess.run(["sort", "-r"], input="a\nc\nb\n", capture_output=True, text=True)
print("subprocess:", out.stdout.split(), out.returncode)
out = subprocess.run("echo $((6 * 7)); exit 3", shell=True, capture_output=True, text=True)
print("shell:", out.stdout.strip(), out.returncode)

with tempfile.NamedTemporaryFile() as f, tempfile.TemporaryFile() as g:
    f.write(b"x" * 8192)
    g.write(b"y" * 8192)
    f.flush()
    print("tempfile:", os.path.dirname(f.name) == os.environ["TMPDIR"], g.tell())
with tempfile.TemporaryDirectory() as d:
    with zipfile.ZipFile(d + "/z.zip", "w") as z:
        z.write("d.json")
    shutil.copytree("own", d + "/own")
    print("zip, copytree:", sorted(os.listdir(d)))
print("tmp is empty:", os.listdir("tmp"))

with open("map", "w+b") as f:
    f.truncate(65536)
    with mmap.mmap(f.fileno(), 65536) as m:
        m[:5] = b"hello"
    print("mmap:", f.read(5))

left, right = socket.socketpair()
left.sendall(b"pair")
print("socketpair:", right.recv(4))
server = socket.socket(socket.AF_UNIX)
server.bind("sock")
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect("sock")
client.sendall(b"own socket")
print("unix socket:", server.accept()[0].recv(10))

got = []
signal.signal(signal.SIGUSR1, lambda *_: got.append("USR1"))
os.kill(os.getpid(), signal.SIGUSR1)
child = subprocess.Popen(["sleep", "60"])
child.send_signal(signal.SIGTERM)
print("signals:", got, child.wait())


async def tick():
    p = await asyncio.create_subprocess_exec("echo", "tick", stdout=asyncio.subprocess.PIPE)
    return (await p.communicate())[0]


print("asyncio:", asyncio.run(tick()))
threads = []
t = [threading.Thread(target=threads.append, args=(i,)) for i in range(8)]
[x.start() for x in t], [x.join() for x in t]
print("threads:", sorted(threads))


def square(x):
    return x * x


with concurrent.futures.ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
    print("processes:", list(pool.map(square, range(5))))

print("random, hash:", len(os.urandom(16)), 0 <= random.SystemRandom().random() < 1,
      hashlib.sha256(b"x").hexdigest()[:8])
print("ssl:", ssl.create_default_context().verify_mode.name)

order = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 4)(3, 1, 4, 1)
ctypes.CDLL(None).qsort(numbers, 4, 4, order(lambda a, b: a[0] - b[0]))
print("ctypes:", list(numbers))
sys.exit(7)
