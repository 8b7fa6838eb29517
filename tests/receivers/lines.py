# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every receiver is compared with: the same events in the native JSON."""

import json
import subprocess
import sys


def printed(form):
    """The lines of a format, as bytes without the newline."""
    out = subprocess.run(["build/tests/print", form], check=True, stdout=subprocess.PIPE).stdout
    assert out.endswith(b"\n")
    return out[:-1].split(b"\n")


def native():
    return [json.loads(line) for line in printed("json")]


def path_bytes(event):
    if "path_hex" in event:
        return bytes.fromhex(event["path_hex"])
    return None if event.get("path") is None else event["path"].encode()


def told(value, hexed, cut, data):
    """Whether a text is there: exactly, or marked as cut and exact so far, or by its bytes."""
    if data is None:
        return value is None
    if hexed is not None:
        said = bytes.fromhex(hexed)
        return data[: len(said)] == said[: len(data)]
    if value is None:
        return False
    said = value.encode()
    return said == data or (cut and said == data[: len(said)])


class Tally:
    """Counts lines; says the first faults."""

    def __init__(self, name):
        self.name, self.lines, self.faults = name, 0, 0

    def check(self, ok, what):
        if not ok:
            self.faults += 1
            if self.faults <= 10:
                print(f"{self.name}: line {self.lines}: {what}")

    def end(self, expected):
        if self.lines != expected:
            self.faults += 1
            print(f"{self.name}: {self.lines} lines of {expected}")
        print(f"{self.name}: {self.lines} lines, {self.faults} faults")
        sys.exit(1 if self.faults or not self.lines else 0)
