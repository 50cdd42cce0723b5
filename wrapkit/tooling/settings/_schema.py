"""The table of settings, in the order of the reference and of ``wrapkit init``."""

from __future__ import annotations

from ._delivery import DESTINATIONS, EXTENSION, OTLP, PROXIES
from ._kinds import Choice, Listing, Mapping, Text
from ._setting import Section, Setting
from ._telemetry import CAPTURE, LIBRARIES, LIMITS, SDK, SIGNALS

LAYER = Section(
    "The layer",
    (
        Setting(
            "layer.language",
            "",
            Choice(("python",)),
            "none: it has to be said, here or as `--lang`",
            "the functions' language",
        ),
        Setting(
            "layer.output",
            "",
            Text('"build/layer"'),
            "none: it has to be said, here or as `--output`",
            "the folder that `wrapkit generate` writes, relative to the file",
        ),
        Setting(
            "layer.mode",
            "WRAPKIT_MODE",
            Choice(("both", "internal", "external")),
            "`both`",
            "who makes and exports the spans. `internal`: the hook, before the response. "
            "`external`: the extension; no code in the function's process. `both`: the hook "
            "records, the extension exports after the response. What the layer was not generated "
            "for it does not hold",
        ),
        Setting(
            "layer.chain",
            "WRAPKIT_CHAIN",
            Listing(separator=":", example='["/opt/datadog_wrapper"]'),
            "none",
            "further exec wrappers, which run after wrapkit's in this order: `/opt/one:/opt/two`; "
            "`none` for none. One that is not there costs a line, not the function",
        ),
        Setting(
            "layer.python",
            "",
            Listing(example='["3.12", "3.13"]'),
            "each of Lambda's that this machine has",
            "the Python versions that get byte code",
        ),
        Setting(
            "layer.instrumentation",
            "",
            Listing(example='["flask", "redis"]'),
            "none beyond boto3, requests and urllib3",
            "the libraries whose instrumentation by OpenTelemetry goes into the layer, by the "
            "names that opentelemetry-python gives them; `all` for each that there is",
        ),
    ),
    "What `wrapkit generate` makes; an option of the command wins over the file.",
)


RESOURCE = Section(
    "The service",
    (
        Setting(
            "service.name",
            "OTEL_SERVICE_NAME",
            Text('"orders"'),
            "`service.name` of the resource attributes, else the function's name",
            "`service.name` of all telemetry",
        ),
        Setting(
            "service.attributes",
            "OTEL_RESOURCE_ATTRIBUTES",
            Mapping(),
            "none",
            "resource attributes: `name=value,name=value`, values percent-encoded. The variable "
            "replaces the file's table as a whole",
        ),
    ),
)


SECTIONS = (
    LAYER,
    RESOURCE,
    SDK,
    SIGNALS,
    LIMITS,
    CAPTURE,
    OTLP,
    DESTINATIONS,
    EXTENSION,
    LIBRARIES,
    PROXIES,
)
SETTINGS = tuple(setting for section in SECTIONS for setting in section.settings)
