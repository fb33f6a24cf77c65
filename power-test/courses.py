"""Courses of the power test: what happens in the world, and what has to hold at the end of each."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from world import World

# 'begin' of qxups.toml: so long on battery, and what confirms it
BEGIN = 6.0
# after this everything has to run again, counted from the moment at which mains are back
AGAIN = 300.0

# when mains return: so long after the first time that this happened
MOMENTS = [
    ("mains fail", 1), ("mains fail", 4), ("mains fail", 6.5),
    ("begin", 0), ("begin", 2), ("secondary goes down (FSD)", 0), ("secondary is off", 0), ("secondary is off", 1.5),
    ("order", 0), ("order", 1), ("proof", 0), ("shutdown", 0), ("shutdown", 1),
    ("shutdown", 3), ("stops", 2), ("host is off", 0), ("host is off", 5), ("host is off", 20),
    ("load off", 0), ("load off", 10), ("load off", 60),
]


class Course:
    """One outage, from the moment at which everything runs to the one at which it does again."""

    def __init__(self, world: World, name: str):
        self.world, self.name = world, name
        self.faults_before = len(world.faults)
        if not world.until(world.all_run, 240):
            world.fault("nothing runs at the beginning")
        world.pass_time(3)
        world.ups.turn("charge 100")
        world.longest_outage = 0.0
        self.since, self.starts = world.now, world.machine.starts
        world.note(f"== {name}")

    def wait(self, what: str, seconds: float = 0.0, limit: float = 150.0, since: float = 0.0):
        """Until so long after it happened."""
        world, since = self.world, max(self.since, since)
        if not world.until(lambda: world.when(what, since) is not None, limit):
            world.note(f"it never came to: {what}")
            return False
        left = world.when(what, since) + seconds - world.now
        if left > 0:
            world.pass_time(left)
        return True

    def outage(self, until: str, seconds: float):
        self.world.mains_fail()
        self.wait(until, seconds)
        self.world.mains_back()

    def end(self, limit: float = AGAIN):
        """What has to hold now, and the row of the table."""
        world = self.world
        back = world.now
        # what was begun goes on: nothing is over while a load is going off, or a host goes down
        calm = lambda: world.powered and world.all_run() and world.ups.turn("state").count("countdown None") == 1
        held = 0.0
        runs = False
        while world.now < back + limit:
            world.step()
            held = world.now if not calm() else held
            if world.now - max(held, back) > 8:
                runs = True
                break
        if not runs:
            world.fault(f"not everything runs again after {limit:.0f} s: host "
                        f"{'runs' if world.machine.is_running() else 'is off'}, secondary {world.secondary.state}")
        down = world.when("host is off", self.since) is not None
        sent = any(name.startswith("secondary goes down") for at, name in world.events if at >= self.since)
        if (down or sent) and world.longest_outage < BEGIN:
            world.fault("a host went down for nothing")
        faults = world.faults[self.faults_before:]
        cycled = world.when("load off", self.since) is not None
        fail = world.when("mains fail", self.since) or self.since
        again = max(held, back) - fail
        row = (
            self.name,
            "all" if down and sent else "this host" if down else "the secondary" if sent else "nothing",
            "cycled" if cycled else "stays on",
            f"{again:.0f} s" if runs else "never",
            "; ".join(faults) or "-",
        )
        print("| " + " | ".join(row) + " |", flush=True)
        return faults


def outage(world, _which):
    """Outage to running again, end to end."""
    course = Course(world, "an outage to its end")
    course.outage("load off", 20)
    course.end()


def moments(world, which):
    """Mains return at each moment of it."""
    for at, (what, seconds) in picked(list(enumerate(MOMENTS, 1)), which):
        course = Course(world, f"{at}: mains back {seconds} s after: {what}" if seconds else f"{at}: mains back at: {what}")
        course.outage(what, seconds)
        course.end()


def again(world, _which):
    """Mains fail again while hosts start."""
    for seconds in [0, 6, 14, 25]:
        course = Course(world, f"mains fail again {seconds} s after: load on")
        course.outage("load off", 5)
        course.wait("load on", seconds)
        second = world.now
        world.mains_fail()
        course.wait("load off", 10, 240, second)
        world.mains_back()
        course.end()


def empty(world, _which):
    """The battery ends sooner than was thought: the load goes off under hosts, and what was under way is not done again."""
    for what, seconds in [("mains fail", 3), ("begin", 1), ("secondary is off", 1), ("proof", 0)]:
        course = Course(world, f"the battery ends {seconds} s after: {what}, under hosts")
        world.mains_fail()
        course.wait(what, seconds)
        world.no_fault = True
        world.ups.turn("charge 0")
        course.wait("load off", 5)
        world.no_fault = False
        world.mains_back()
        course.wait("load on", 5)
        came_back = world.now
        course.end()
        if world.when("host is off", came_back) is not None:
            world.fault("the host went down again after mains were back")


def picked(of, which):
    """Those that were asked for by their numbers, from 1; all without."""
    return [one for at, one in enumerate(of, 1) if not which or at in which]


def does(course, command: str):
    """Something is done inside of the host, and it is seen that it was."""
    since = course.world.now
    course.world.machine.do(command)
    if not course.wait("did", 0, 20, since):
        course.world.fault(f"it was not done: {command}")


def kill(world, which):
    """The server is killed at each step."""
    moments = [("mains fail", 3), ("begin", 1), ("secondary is off", 1), ("order", 0.2), ("order", 1), ("shutdown", 0)]
    for what, seconds in picked(moments, which):
        course = Course(world, f"killed {seconds} s after: {what}")
        world.mains_fail()
        course.wait(what, seconds)
        does(course, "kill -9 $(systemctl show -P MainPID qxups-serve)")
        world.note("server is killed")
        course.wait("load off", 15, 240)
        world.mains_back()
        course.end()


def hung(world, _which):
    """A client that is logged in never goes."""
    course = Course(world, "a client never goes")
    world.secondary.hangs = True
    course.outage("load off", 10)
    course.end()


def refuses(world, _which):
    """The UPS refuses the order."""
    course = Course(world, "the order is refused until the host goes down")
    world.ups.turn("refuse echo")
    world.mains_fail()
    course.wait("shutdown", 1, 200)
    world.ups.turn("refuse off")
    world.note("refuses no more")
    course.wait("load off", 10, 200)
    world.mains_back()
    course.end()

    course = Course(world, "the order is refused, mains are back meanwhile, and the secondary is switched on by hand")
    world.ups.turn("refuse echo")
    world.mains_fail()
    course.wait("order", 0.5, 200)
    world.mains_back()
    course.wait("order", 30)
    world.ups.turn("refuse off")
    if world.machine.is_running() and world.secondary.state == "down":
        # nothing cycles the load: somebody switches it on, as the log says
        world.note("somebody switches the secondary on")
        world.secondary.power(True, world.now)
    course.end()

    course = Course(world, "the order is refused to the end, and the battery is empty")
    world.ups.turn("refuse echo")
    world.mains_fail()
    course.wait("host is off", 5, 300)
    world.ups.turn("charge 0")
    course.wait("load off", 10)
    world.mains_back()
    world.ups.turn("refuse off")
    course.end()


def unplugged(world, _which):
    """The line to the UPS is cut."""
    course = Course(world, "unplugged on mains for 40 s")
    world.ups.turn("silent on")
    world.pass_time(40)
    world.ups.turn("silent off")
    course.end()

    course = Course(world, "unplugged on battery, plugged in when the host goes down")
    world.mains_fail()
    course.wait("mains fail", 3)
    world.ups.turn("silent on")
    world.note("unplugged")
    course.wait("shutdown", 1, 300)
    world.ups.turn("silent off")
    world.note("plugged in")
    course.wait("load off", 10, 200)
    world.mains_back()
    course.end()

    for what in ["begin", "order"]:
        course = Course(world, f"unplugged at: {what}, and the battery ends")
        world.mains_fail()
        course.wait(what, 0)
        world.ups.turn("silent on")
        world.note("unplugged")
        course.wait("host is off", 5, 300)
        if world.when("load off", course.since) is None and "countdown None" in world.ups.turn("state"):
            world.ups.turn("charge 0")
        course.wait("load off", 10)
        world.ups.turn("silent off")
        world.mains_back()
        course.end()


def clock(world, which):
    """The clock jumps."""
    for jump in picked(["+1 day", "-1 day", "+10 years", "-20 years"], which):
        for what, seconds in [("mains fail", 2), ("begin", 1)]:
            course = Course(world, f"the clock jumps by {jump} {seconds} s after: {what}")
            world.mains_fail()
            course.wait(what, seconds)
            does(course, f"date -s '{jump}'")
            world.note(f"clock jumps by {jump}")
            course.wait("load off", 10, 240)
            world.mains_back()
            course.end()
    course = Course(world, "the clock jumps on mains")
    does(course, "date -s '+1 day'")
    world.pass_time(10)
    does(course, "date -s '-2 days'")
    world.pass_time(10)
    course.end()


def forbidden(world, _which):
    """Without the rule of polkit the host could not be shut down: it is said before it is needed."""
    course = Course(world, "the rule of polkit is missing for a while")
    rule = "/etc/polkit-1/rules.d/50-qxups.rules"
    world.machine.do(f"mv {rule} /root/; systemctl restart polkit qxups-serve")
    if not course.wait("host could not be shut down", 0, 60):
        world.fault("it is not said that the host could not be shut down")
    world.machine.do(f"mv /root/50-qxups.rules {rule}; systemctl restart polkit")
    if not course.wait("host could be shut down", 0, 90):
        world.fault("it is not said that the host could be shut down again")
    course.end()


def container(world, _which):
    """A file in a folder of the host shuts it down, as docs/protect.md has it for containers."""
    course = Course(world, "a unit of the host waits for the server's file")
    folder = "/etc/systemd/system/qxups-serve.service.d"
    world.machine.do(
        "mkdir -p /run/qxups; chown nut /run/qxups; "
        f"mkdir -p {folder}; printf '[Service]\\nReadWritePaths=-/run/qxups\\n' >{folder}/folder.conf; "
        "sed -i 's|^shutdown = .*|shutdown = [\"/usr/bin/touch\", \"/run/qxups/poweroff\"]|' /etc/nut/qxups.toml; "
        "systemctl daemon-reload; systemctl start qxups-poweroff.path; systemctl restart qxups-serve"
    )
    world.pass_time(20)
    course.outage("load off", 10)
    course.end()
    world.machine.do(
        f"rm -r {folder}; sed -i 's|^shutdown = .*|shutdown = \"logind\"|' /etc/nut/qxups.toml; "
        "systemctl daemon-reload; systemctl restart qxups-serve"
    )
    world.pass_time(10)


COURSES = {"outage": outage, "moments": moments, "again": again, "empty": empty, "kill": kill, "hung": hung, "refuses": refuses, "unplugged": unplugged, "clock": clock,
           "forbidden": forbidden, "container": container}


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--cache", type=Path, required=True)
    options.add_argument("--program", required=True)
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("courses", nargs="*", default=["outage", "moments"])
    asked = options.parse_args()
    shutil.rmtree(asked.folder, ignore_errors=True)
    asked.folder.mkdir(parents=True)
    port = 20000 + os.getpid() % 6000 * 2
    world = World(asked.program, asked.cache, asked.folder, port)
    print("| moment | goes down | load | all run again after | wrong |\n|---|---|---|---|---|", flush=True)
    try:
        for name in asked.courses:
            name, _, which = name.partition(":")
            COURSES[name](world, [int(at) for at in which.split(",") if at])
    finally:
        world.end()
    sys.exit(1 if world.faults else 0)


if __name__ == "__main__":
    main()
