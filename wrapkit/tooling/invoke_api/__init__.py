"""Lambda's Invoke API on the loopback, in front of execution environments that come and go.

Functions are served by name: each has environments as its concurrency asks for, up to its limit.
Clients are AWS's own: the SDKs with ``endpoint_url``, the AWS CLI with ``--endpoint-url``.
"""

from __future__ import annotations

from ._environment_settings import EnvironmentSettings
from ._observer import Place, ServiceObserver
from ._served_function import ServedFunction
from ._service import InvokeService

__all__ = ["EnvironmentSettings", "InvokeService", "Place", "ServedFunction", "ServiceObserver"]
