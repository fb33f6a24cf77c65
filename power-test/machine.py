"""The host: a virtual machine with systemd and 'qxups serve', whose serial port goes to the simulated UPS."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Machine:
    """It has a disk that lasts, and runs from a start until it is off or loses its power."""

    def __init__(self, cache: Path, folder: Path, ups_port: int, nut_port: int):
        self.cache, self.folder = cache, folder
        self.ups_port, self.nut_port = ups_port, nut_port
        self.process = None
        self.starts = 0
        self.shell = None
        self.seen = ""
        self.rest = ""
        shutil.copyfile(cache / "disk", folder / "disk")

    def qemu(self):
        if shutil.which("qemu-system-x86_64"):
            return ["qemu-system-x86_64"], None
        root = self.cache / "root"
        libs = root / "usr/lib/x86_64-linux-gnu"
        paths = f"{libs}:{root}/lib/x86_64-linux-gnu:{libs}/pulseaudio"
        env = dict(os.environ, LD_LIBRARY_PATH=paths, QEMU_MODULE_DIR=f"{libs}/qemu")
        share = root / "usr/share"
        return [f"{root}/usr/bin/qemu-system-x86_64", "-L", f"{share}/qemu", "-L", f"{share}/seabios"], env

    def start(self):
        self.starts += 1
        self.console_path = self.folder / f"console-{self.starts}"
        self.shell_path = self.folder / "shell"
        self.seen, self.rest, self.at, self.shell = "", "", 0, None
        program, env = self.qemu()
        accel = os.environ.get("QXUPS_POWER_ACCEL", "tcg")
        self.process = subprocess.Popen(
            program
            + ["-accel", accel, "-cpu", "host" if accel == "kvm" else "max"]
            + ["-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-m", "384", "-smp", "1"]
            + ["-kernel", str(self.cache / "vmlinux"), "-initrd", str(self.cache / "initramfs")]
            + ["-append", "console=ttyS0 quiet panic=-1 mitigations=off no_timer_check"]
            + ["-serial", f"file:{self.console_path}"]
            + ["-chardev", f"socket,id=ups,host=127.0.0.1,port={self.ups_port},reconnect=1"]
            + ["-serial", "chardev:ups"]
            + ["-chardev", f"socket,id=shell,path={self.shell_path},server=on,wait=off"]
            + ["-serial", "chardev:shell"]
            + ["-drive", f"file={self.folder}/disk,format=raw,if=virtio"]
            + ["-netdev", f"user,id=n0,hostfwd=tcp:127.0.0.1:{self.nut_port}-10.0.2.15:3493"]
            + ["-device", "virtio-net-pci,netdev=n0,romfile="],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=open(self.folder / "qemu.log", "ab"),
        )

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def cut(self):
        """The power goes away."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.process, self.shell = None, None

    def new_lines(self):
        """What came on its console since the last look."""
        try:
            with open(self.console_path, "rb") as file:
                file.seek(self.at)
                data = file.read()
        except (OSError, AttributeError):
            return []
        self.at += len(data)
        text = self.rest + COLOURS.sub("", data.decode(errors="replace")).replace("\r", "")
        *lines, self.rest = text.split("\n")
        self.seen += "\n".join(lines) + "\n"
        return lines

    def is_down(self):
        """Its kernel said that it switches itself off."""
        self.new_lines()
        return "reboot: Power down" in self.seen + self.rest

    def do(self, command: str):
        """Has a command run in it, by root; its output goes to the console, and 'did: 0' when it ended well."""
        if self.shell is None:
            self.shell = socket.socket(socket.AF_UNIX)
            self.shell.settimeout(2)
            self.shell.connect(str(self.shell_path))
        self.shell.sendall(f"(({command}); code=$?; echo; echo did: $code) >/dev/ttyS0 2>&1 &\n".encode())
