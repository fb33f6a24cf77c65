"""What PyNUT reads of a server and does there, NUT 2.8.0's own (python3-nut) or PyPI's PyNUTClient: PORT [tls]."""
import sys

try:
    from PyNUTClient.PyNUT import PyNUTClient, PyNUTError
except ImportError:
    from PyNUT import PyNUTClient, PyNUTError


def text(known):
    return known.decode() if isinstance(known, bytes) else known


def error_of(attempt):
    try:
        print("no error", attempt())
    except PyNUTError as error:
        print("error", text(error.args[0]).strip())


def connected(user, password):
    encrypted = {"use_ssl": True, "force_ssl": True, "cert_verify": False} if "tls" in sys.argv else {}
    return PyNUTClient("127.0.0.1", int(sys.argv[1]), user, password, **encrypted)


client = connected("admin", "secret")
print("ups", sorted((text(name), text(about)) for name, about in client.GetUPSList().items()))
print("help", text(client.help()).split()[0], "ver", text(client.ver()).strip())
variables = {text(name): text(value) for name, value in client.GetUPSVars("rack").items()}
print("var", variables["ups.status"], variables["input.voltage"], len(variables) > 20)
# asks GET CMDDESC rack b'beeper.toggle'
commands = {text(name): text(about) for name, about in client.GetUPSCommands("rack").items()}
print("cmd", commands["beeper.toggle"])
writable = [text(name) for name in client.GetRWVars("rack")]
print("rw", any("ups.delay.start" in name for name in writable))
print("set", client.SetRWVar("rack", "ups.delay.start", "240"))
print("run", client.RunUPSCommand("rack", "beeper.toggle"))
for attempt in (
    lambda: client.GetUPSVars("gone"),
    lambda: client.GetUPSVars("none"),
    lambda: client.RunUPSCommand("rack", "no.such"),
    lambda: client.SetRWVar("rack", "ups.status", "OB"),
):
    error_of(attempt)
primary = connected("first", "one")
if hasattr(primary, "DeviceLogin"):
    print("login", primary.DeviceLogin("attic"))
    print("clients", primary.ListClients("attic"))
print("fsd", primary.FSD("attic"))
