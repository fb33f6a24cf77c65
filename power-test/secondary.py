"""Another host on the same load, with a client as upsmon is one: it goes down by FSD, and by silence on battery."""

import socket

# upsmon's DEADTIME is 15; an emulated machine is slower than a real one
DEAD_TIME = 25.0
DOWN = 3.0
STARTS = 3.0


class Secondary:
    """Whether it is off, starts, is up or goes down."""

    def __init__(self, port: int, note):
        self.port, self.note = port, note
        self.state, self.until = "starts", 0.0
        self.socket, self.next, self.heard, self.status = None, 0.0, 0.0, ""
        self.logged_in, self.hangs, self.buffer, self.answers = False, False, b"", 0

    def is_powered_up(self):
        return self.state in ("up", "goes")

    def drop(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.logged_in, self.buffer, self.answers = None, False, b"", 0

    def power(self, on: bool, now: float):
        self.drop()
        self.status = ""
        self.state, self.until = ("starts", now + STARTS) if on else ("off", 0.0)

    def goes(self, now: float, why: str):
        self.note(f"secondary goes down ({why})")
        if self.socket is not None:
            try:
                self.socket.sendall(b"LOGOUT\n")
            except OSError:
                pass
        self.drop()
        self.state, self.until = "goes", now + DOWN

    def step(self, now: float):
        if self.state == "starts" and now >= self.until:
            self.state, self.heard = "up", now
        if self.state == "goes" and now >= self.until:
            self.state = "down"
            self.note("secondary is off")
        if self.state != "up":
            return
        if "OB" in self.status.split() and now > self.heard + DEAD_TIME and not self.hangs:
            return self.goes(now, "silence on battery")
        if self.socket is None:
            if now >= self.next:
                self.next = now + 1.0
                self.connect(now)
            return
        try:
            data = self.socket.recv(4096)
            if not data:
                raise ConnectionError
            self.take(data, now)
        except BlockingIOError:
            pass
        except OSError:
            return self.drop()
        if self.socket is not None and now >= self.next:
            self.next = now + 1.0
            try:
                self.socket.sendall(b"GET VAR ups ups.status\n")
            except OSError:
                self.drop()
        if self.socket is not None and now > self.since + 8 and now > self.heard + 8:
            self.drop()

    def connect(self, now: float):
        try:
            self.socket = socket.create_connection(("127.0.0.1", self.port), 0.5)
            self.socket.setblocking(False)
            self.since = now
            self.socket.sendall(b"USERNAME lab\nPASSWORD lab\nLOGIN ups\n")
        except OSError:
            self.drop()

    def take(self, data: bytes, now: float):
        self.buffer += data
        while b"\n" in self.buffer and self.socket is not None:
            line, self.buffer = self.buffer.split(b"\n", 1)
            text = line.decode(errors="replace")
            if text == "OK":
                self.answers += 1
                if self.answers == 3 and not self.logged_in:
                    self.logged_in = True
                    self.note("secondary is logged in")
            elif text.startswith("VAR ups ups.status "):
                self.heard, self.status = now, text.split('"')[1]
                if "FSD" in self.status.split() and not self.hangs:
                    self.goes(now, "FSD")
            elif text.startswith("ERR DATA-STALE"):
                pass
            elif text.startswith("ERR"):
                self.drop()
