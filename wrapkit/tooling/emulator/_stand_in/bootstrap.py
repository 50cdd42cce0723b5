"""Stand-in for /var/runtime/bootstrap.py of the managed Python runtimes: decides sys.path, then
runs the runtime client.

The order is the managed runtime's: the task root, then (unless the user set PYTHONPATH) the layers'
site-packages of this Python version, the layers' python folder, and the interpreter's own site-
packages.
"""

import os
import site
import sys

# Under this name, which is the managed runtime's: Sentry's SDK looks for it in __main__.
import awslambdaric.__main__ as awslambdaricmain

PYTHON = "python{}.{}".format(*sys.version_info[:2])
OPT = "__OPT__"
LANG = "__LANG__"


def site_packages(folder: str) -> str:
    return os.path.join(folder, "lib", PYTHON, "site-packages")


def main() -> None:
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    layers = []
    if "PYTHONPATH" not in os.environ:
        layers = [site_packages(os.path.join(OPT, "python")), os.path.join(OPT, "python")]
        sys.path[:0] = [*layers, site_packages(LANG)]
    sys.path.insert(0, task_root)
    # As site directories, so that the .pth files of the function and of its layers are read.
    for folder in [task_root, *layers]:
        site.addsitedir(folder)
    os.environ.setdefault("PYTHONPATH", os.environ["LAMBDA_RUNTIME_DIR"])
    awslambdaricmain.main([task_root, os.environ["_HANDLER"]])


if __name__ == "__main__":
    main()
