"""What aionut (Home Assistant's client) reads of a server and does there: PORT."""
import asyncio
import sys

from aionut import AIONUTClient, NUTCommandError, NUTLoginError


async def main(port):
    # Home Assistant's way: a connection and a login for each call
    for persistent in (False, True):
        client = AIONUTClient("127.0.0.1", port, "admin", "secret", persistent=persistent)
        print("ups", sorted((await client.list_ups()).items()))
        print("description", await client.description("rack"))
        variables = await client.list_vars("rack")
        print("var", variables["ups.status"], variables["input.voltage"], len(variables) > 20)
        print("odd", (await client.list_vars("odd"))["ups.mfr"])
        commands = await client.list_commands("rack")
        print("cmd", {"beeper.toggle", "test.battery.start.quick", "load.off"} <= commands)
        for ups in ("gone", "none"):
            try:
                await client.list_vars(ups)
            except NUTCommandError as error:
                print("error", error)
    print("run", await client.run_command("rack", "beeper.toggle"))
    for user, password, command in (("admin", "wrong", "beeper.toggle"), ("second", "two", "beeper.toggle")):
        client = AIONUTClient("127.0.0.1", port, user, password, persistent=False)
        try:
            await client.run_command("rack", command)
        except NUTLoginError as error:
            print("denied", error)


asyncio.run(main(int(sys.argv[1])))
