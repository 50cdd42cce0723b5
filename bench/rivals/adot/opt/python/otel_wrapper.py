"""Stands in for the function's handler, which it imports: instrumentation wraps this one."""

import importlib
import os

_module, _, _name = os.environ["ORIG_HANDLER"].rpartition(".")
lambda_handler = getattr(importlib.import_module(_module.replace("/", ".")), _name)
