"""What nut2 reads of a server and does there: PORT."""
import sys

from nut2 import PyNUTClient, PyNUTError

with PyNUTClient("127.0.0.1", int(sys.argv[1]), "admin", "secret") as client:
    print("ups", sorted(client.list_ups().items()))
    print("description", client.description("rack"))
    print("help", client.help().split()[0], "ver", client.ver())
    variables = client.list_vars("rack")
    print("var", variables["ups.status"], variables["input.voltage"], len(variables) > 20)
    print("get", client.get("rack", "ups.status"))
    print("desc", client.var_description("rack", "ups.status"))
    print("type", client.var_type("rack", "ups.delay.start"))
    print("cmd", client.list_commands("rack")["beeper.toggle"])
    print("cmddesc", client.command_description("rack", "beeper.toggle"))
    print("rw", "ups.delay.start" in {name.split()[-1] for name in client.list_rw_vars("rack")})
    print("enum", client.list_enum("odd", "input.sensitivity"))
    print("range", client.list_range("odd", "input.transfer.low"))
    print("logins", client.num_logins("rack"))
    print("clients", client.list_clients("rack"))
    # the conversation is still in step
    print("status", client.get("rack", "ups.status"))
    client.set_var("rack", "ups.delay.start", "240")
    client.run_command("rack", "beeper.toggle")
    for attempt in (
        lambda: client.get("gone", "ups.status"),
        lambda: client.get("none", "ups.status"),
        lambda: client.get("rack", "no.such"),
        lambda: client.run_command("rack", "no.such"),
        lambda: client.set_var("rack", "ups.status", "OB"),
        lambda: client.fsd("none"),
    ):
        try:
            print("no error", attempt())
        except PyNUTError as error:
            print("error", error)
with PyNUTClient("127.0.0.1", int(sys.argv[1]), "first", "one") as primary:
    primary.fsd("attic")
    print("fsd", primary.get("attic", "ups.status"))
