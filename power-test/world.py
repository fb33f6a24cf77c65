"""The world: mains, a UPS, and what hangs on its outlet. It is the judge of what happens there."""

import re
import socket
import subprocess
import time
from pathlib import Path

from machine import Machine
from secondary import Secondary

# a power supply rides through a shorter gap, and the host that hangs on it does not see that power is back
GAP = 5.0
# while nothing runs on the load, its time passes so much faster
HURRY = 20.0
# what the server says, and what it is called here
SAYS = [
    ("begin", re.compile(r"protect: show FSD to stage")),
    ("order", re.compile(r"protect: order UPS ups")),
    ("proof", re.compile(r"proof: UPS ups")),
    ("shutdown", re.compile(r"protect: shut this host down")),
    ("stops", re.compile(r"Stopping (qxups-serve|session|systemd-logind|dbus|agent)|Stopped target multi-user")),
    ("host could not be shut down", re.compile(r"protect: this host could not be shut down")),
    ("host could be shut down", re.compile(r"protect: this host could be shut down again")),
    ("did", re.compile(r"^did: 0$")),
    ("hook", re.compile(r"(?<!')qxups killpower")),
]


class Ups:
    """The simulated UPS."""

    def __init__(self, program: str, folder: Path, port: int):
        path = folder / "ups"
        self.process = subprocess.Popen(
            [program, "sim", "--tcp", f"127.0.0.1:{port}", "--control", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=open(folder / "ups.log", "wb"),
            stderr=subprocess.STDOUT,
        )
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(100):
            try:
                self.socket.connect(str(path))
                break
            except OSError:
                time.sleep(0.1)
        self.file = self.socket.makefile("rw")

    def turn(self, knob: str):
        """Turns a knob; the lines of the answer."""
        self.file.write(knob + "\n")
        self.file.flush()
        lines = []
        while True:
            line = self.file.readline().rstrip("\n")
            if line == "ok":
                return lines
            if line.startswith("error") or not line:
                raise RuntimeError(f"{knob}: {line}")
            lines.append(line)

    def state(self):
        """What is true of it."""
        return dict(line.rsplit(" ", 1) for line in self.turn("state") if line.startswith(("powered", "on battery")))


class World:
    """All of it, step by step."""

    def __init__(self, program: str, cache: Path, folder: Path, port: int):
        self.begun = self.now = time.monotonic()
        self.events, self.faults, self.log = [], [], open(folder / "events", "w")
        self.ups = Ups(program, folder, port)
        self.machine = Machine(cache, folder, port, port + 1)
        self.secondary = Secondary(port + 1, self.note)
        self.powered, self.mains, self.off, self.hurries = True, True, 0.0, False
        self.was_running, self.battery_since = True, None
        self.longest_outage, self.no_fault = 0.0, False
        self.machine.start()
        self.note("host starts")

    # ---- what happens

    def note(self, what: str):
        self.events.append((self.now, what))
        self.log.write(f"{self.now - self.begun:8.2f} {what}\n")
        self.log.flush()

    def fault(self, what: str):
        if self.no_fault:
            return self.note(f"not counted: {what}")
        self.faults.append(what)
        self.note(f"FAULT: {what}")

    def when(self, what: str, since: float = 0.0):
        """When it happened first after that; none if it did not."""
        return next((at for at, name in self.events if at >= since and name == what), None)

    def mains_fail(self):
        self.ups.turn("mains fail")
        self.mains, self.battery_since = False, self.now
        self.note("mains fail")

    def mains_back(self):
        self.ups.turn("mains back")
        self.mains = True
        if self.battery_since is not None:
            self.longest_outage = max(self.longest_outage, self.now - self.battery_since)
        self.battery_since = None
        self.note("mains back")

    # ---- time

    def step(self):
        time.sleep(0.05)
        before, self.now = self.now, time.monotonic()
        self.look_at_outlet(self.now - before)
        for line in self.machine.new_lines():
            if "protect:" in line or "killpower" in line:
                self.log.write(f"         | {line}\n")
            for name, pattern in SAYS:
                if pattern.search(line):
                    self.note(name)
        running = self.machine.is_running()
        if self.was_running and not running:
            self.note("host is off")
            if not self.machine.is_down():
                self.fault("the host ended, and its kernel did not say that it switches itself off")
            self.machine.process = None
        self.was_running = running
        self.secondary.step(self.now)

    def look_at_outlet(self, passed: float):
        powered = self.ups.state()["powered"] == "true"
        if not powered:
            self.off += passed * (HURRY if self.hurries else 1.0)
        if powered != self.powered:
            self.powered = powered
            self.load_on() if powered else self.load_off()
        hurries = not powered and self.mains
        if hurries != self.hurries:
            self.hurries = hurries
            self.ups.turn(f"speed {HURRY if hurries else 1}")

    def load_off(self):
        self.note("load off")
        self.off = 0.0
        if self.machine.is_running():
            # a few moments lie between its last word and its end
            until = time.monotonic() + 1.0
            while self.machine.is_down() and self.machine.is_running() and time.monotonic() < until:
                time.sleep(0.02)
            if not self.machine.is_down():
                self.fault("the load was cut under the running host")
            self.machine.cut()
            self.was_running = False
        if self.secondary.is_powered_up() and not self.secondary.hangs:
            self.fault("the load was cut under the running secondary")
        self.secondary.power(False, self.now)

    def load_on(self):
        self.note("load on")
        self.note(f"it was off for {self.off:.0f} s")
        if self.off < GAP:
            return
        if not self.machine.is_running():
            self.machine.start()
            self.was_running = True
            self.note("host starts")
        self.secondary.hangs = False
        self.secondary.power(True, self.now)

    def pass_time(self, seconds: float):
        until = time.monotonic() + seconds
        while self.now < until:
            self.step()

    def until(self, holds, limit: float):
        """Lets time pass until it holds; whether it did within the limit."""
        until = time.monotonic() + limit
        while not holds():
            if self.now >= until:
                return False
            self.step()
        return True

    # ---- the end

    def all_run(self):
        """The host serves, and the secondary is logged in and was said that mains are there."""
        return (
            self.machine.is_running()
            and self.secondary.logged_in
            and self.secondary.status.split()[:1] == ["OL"]
            and "FSD" not in self.secondary.status
        )

    def end(self):
        self.machine.cut()
        self.ups.process.kill()
        self.ups.process.wait()
