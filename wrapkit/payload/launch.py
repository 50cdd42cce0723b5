# Started by `otel-handler` in front of the runtime's own command line, from the folder that holds
# `_wrapkit`. Little stands here, and no docstring: a start script is compiled anew at each start,
# and its globals become those of the runtime's script.

import marshal
import sys
from _frozen_importlib_external import MAGIC_NUMBER

folder = __file__.rpartition("/")[0] or "."
# Not only for -I and -P, which leave the script's own folder out.
sys.path.insert(0, folder)

bundle = {"folder": folder}  # type: dict[str, object]

try:
    try:
        with open(f"{folder}/init-{MAGIC_NUMBER.hex()}.bundle", "rb") as file:
            code, modules, bundle["later"] = marshal.loads(file.read())  # noqa: S302 - the layer's own
    except OSError:  # not made for this Python: the modules are found one by one
        pass
    else:
        exec(marshal.loads(code), bundle)  # noqa: S102, S302 - the same
        bundle["unpack"](modules)  # type: ignore[operator]
    from _wrapkit.payload.internal._launch import Launch  # type: ignore[import-not-found]

    run = Launch(globals()).run
except Exception as error:  # noqa: BLE001 - the bare command line says best what is wrong, if anything is
    import os

    sys.stderr.write(f"wrapkit: not started, {type(error).__name__}; running without\n")
    with open("/proc/self/cmdline", "rb") as file:
        command = file.read().split(b"\0")[:-1]
    command.remove(os.fsencode(sys.argv[0]))
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted

run()
