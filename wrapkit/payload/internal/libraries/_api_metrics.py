"""Metrics of the function's own code, for OpenTelemetry's API without an SDK.

Counters and histograms tell what has come since the last invocation's end (delta), which adds up
over any number of environments; what goes up and down tells its sum. No views and no exemplars: a
function that needs them sets a meter provider of an SDK.
"""

import threading
import time

from ._signals import is_wanted, signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Optional

    _Key = tuple[tuple[str, Any], ...]

# The SDK's defaults.
BOUNDS = (0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
# As many attribute sets as the SDK's specification keeps apart.
MAX_SERIES = 2000
COUNTER, UP_DOWN, GAUGE, HISTOGRAM = "counter", "up_down_counter", "gauge", "histogram"


def connect(metrics: "Any", internal: "Any") -> None:
    """Has ``opentelemetry.metrics``, which has just been loaded, give out wrapkit's meters."""
    provider = MeterProvider(metrics)
    if not signals().add("metrics", provider.collect):
        return
    metrics.MeterProvider.register(MeterProvider)
    metrics.Meter.register(Meter)
    internal._METER_PROVIDER = provider
    set_meter_provider = metrics.set_meter_provider

    def set_and_follow(meter_provider: "Any") -> None:
        set_meter_provider(meter_provider)
        if internal._METER_PROVIDER is meter_provider and meter_provider is not provider:
            provider.hand_over(meter_provider)
            signals().flush(meter_provider)

    metrics.set_meter_provider = internal.set_meter_provider = set_and_follow


class MeterProvider:
    """What the API's ``MeterProvider`` does."""

    def __init__(self, metrics: "Any") -> None:
        self._metrics = metrics
        self._meters: list[Meter] = []
        self._successor: Any = None
        self._start_ns = time.time_ns()

    def get_meter(
        self,
        name: str,
        version: "Optional[str]" = None,
        schema_url: "Optional[str]" = None,
        attributes: "Any" = None,  # noqa: ARG002 - of the scope
    ) -> "Any":
        """A meter of a scope."""
        if not is_wanted("metrics", name):
            return self._metrics.NoOpMeter(name, version=version, schema_url=schema_url)
        meter = Meter((name, version or "", schema_url or ""))
        self._meters.append(meter)
        if self._successor is not None:
            meter.hand_over(self._successor)
        return meter

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's
        """What there is goes out at the end of the invocation."""
        return True

    def shutdown(self, timeout_millis: int = 30_000) -> None:
        """Nothing is left to do."""

    def hand_over(self, provider: "Any") -> None:
        """The code has set a provider: what was made before is its from now on."""
        self._successor = provider
        for meter in self._meters:
            meter.hand_over(provider)

    def collect(self, resource: "dict[str, Any]") -> bytes:
        """The request of all that there is to tell; empty without any."""
        from ._otlp_points import encode_scopes

        now_ns = time.time_ns()
        scopes = [(meter.scope, meter.collect(self._metrics)) for meter in self._meters]
        body = encode_scopes(resource, scopes, self._start_ns, now_ns)
        self._start_ns = now_ns
        return body


class Meter:
    """What the API's ``Meter`` does."""

    def __init__(self, scope: "tuple[str, str, str]") -> None:
        self.scope = scope
        self._instruments: list[Instrument] = []
        self._real: Any = None

    def _make(
        self, kind: str, name: str, unit: str, description: str, **more: "Any"
    ) -> "Instrument":
        instrument = Instrument(kind, name, unit, description, **more)
        self._instruments.append(instrument)
        if self._real is not None:
            instrument.hand_over(self._real)
        return instrument

    def create_counter(self, name: str, unit: str = "", description: str = "") -> "Instrument":
        return self._make(COUNTER, name, unit, description)

    def create_up_down_counter(
        self, name: str, unit: str = "", description: str = ""
    ) -> "Instrument":
        return self._make(UP_DOWN, name, unit, description)

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> "Instrument":
        return self._make(GAUGE, name, unit, description)

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: "Optional[Sequence[float]]" = None,
    ) -> "Instrument":
        bounds = explicit_bucket_boundaries_advisory
        return self._make(HISTOGRAM, name, unit, description, bounds=bounds)

    def create_observable_counter(
        self, name: str, callbacks: "Any" = None, unit: str = "", description: str = ""
    ) -> "Instrument":
        return self._make(COUNTER, name, unit, description, callbacks=callbacks or ())

    def create_observable_up_down_counter(
        self, name: str, callbacks: "Any" = None, unit: str = "", description: str = ""
    ) -> "Instrument":
        return self._make(UP_DOWN, name, unit, description, callbacks=callbacks or ())

    def create_observable_gauge(
        self, name: str, callbacks: "Any" = None, unit: str = "", description: str = ""
    ) -> "Instrument":
        return self._make(GAUGE, name, unit, description, callbacks=callbacks or ())

    def hand_over(self, provider: "Any") -> None:
        """Makes the instruments anew with another provider."""
        name, version, schema_url = self.scope
        self._real = provider.get_meter(name, version or None, schema_url or None)
        for instrument in self._instruments:
            instrument.hand_over(self._real)

    def collect(self, metrics: "Any") -> "list[Instrument]":
        """Those with something to tell."""
        return [each for each in self._instruments if each.observe(metrics)]


class Instrument:
    """Every instrument of the API: ``add``, ``set`` or ``record``, by its kind."""

    def __init__(
        self,
        kind: str,
        name: str,
        unit: str,
        description: str,
        *,
        bounds: "Optional[Sequence[float]]" = None,
        callbacks: "Optional[Sequence[Any]]" = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.unit = unit
        self.description = description
        self.bounds = tuple(bounds or BOUNDS)
        self.callbacks = callbacks
        self._lock = threading.Lock()
        self._series: dict[_Key, Any] = {}
        self._observed: dict[_Key, float] = {}
        self._real: Any = None

    def add(
        self,
        amount: float,
        attributes: "Any" = None,
        context: "Any" = None,  # noqa: ARG002 - for exemplars
    ) -> None:
        """Counts ``amount``; a counter only goes up."""
        if self._real is not None:
            self._real.add(amount, attributes)
        elif self.kind == UP_DOWN or amount >= 0:
            key = _key(attributes)
            with self._lock:
                if key in self._series or len(self._series) < MAX_SERIES:
                    self._series[key] = self._series.get(key, 0) + amount

    def set(
        self,
        amount: float,
        attributes: "Any" = None,
        context: "Any" = None,  # noqa: ARG002 - for exemplars
    ) -> None:
        """The value of a gauge."""
        if self._real is not None:
            self._real.set(amount, attributes)
            return
        key = _key(attributes)
        with self._lock:
            if key in self._series or len(self._series) < MAX_SERIES:
                self._series[key] = amount

    def record(
        self,
        amount: float,
        attributes: "Any" = None,
        context: "Any" = None,  # noqa: ARG002 - for exemplars
    ) -> None:
        """A value of a histogram."""
        if self._real is not None:
            self._real.record(amount, attributes)
            return
        key = _key(attributes)
        with self._lock:
            series = self._series.get(key)
            if series is None and len(self._series) < MAX_SERIES:
                series = self._series[key] = Distribution(len(self.bounds))
            if series is not None:
                series.add(amount, self.bounds)

    def hand_over(self, meter: "Any") -> None:
        """The instrument of another meter takes over."""
        head = (self.name,) if self.callbacks is None else (self.name, self.callbacks)
        observable = "" if self.callbacks is None else "observable_"
        create = getattr(meter, f"create_{observable}{self.kind}")
        self._real = create(*head, unit=self.unit, description=self.description)

    def observe(self, metrics: "Any") -> bool:
        """Whether there is something to tell, after asking what observes."""
        if self._real is not None:
            return False
        for callback in self.callbacks or ():
            for observation in callback(metrics.CallbackOptions()):
                self._take(_key(observation.attributes), observation.value)
        return bool(self._series)

    def _take(self, key: "_Key", value: float) -> None:
        if self.kind == COUNTER:  # observed as a sum, told as what has come
            self._series[key] = value - self._observed.get(key, 0)
            self._observed[key] = value
        else:
            self._series[key] = value

    def taken(self) -> "dict[_Key, Any]":
        """What there is to tell; what is told as a difference begins anew."""
        with self._lock:
            series = self._series
            self._series = dict(series) if self.kind in (UP_DOWN, GAUGE) else {}
        return series


class Distribution:
    """How often a value fell between which two bounds."""

    __slots__ = ("buckets", "count", "maximum", "minimum", "total")

    def __init__(self, bounds: int) -> None:
        self.buckets = [0] * (bounds + 1)
        self.count = 0
        self.total = 0.0
        self.minimum = self.maximum = 0.0

    def add(self, value: float, bounds: "Sequence[float]") -> None:
        """Adds one value; upper bounds are included."""
        place = 0
        while place < len(bounds) and value > bounds[place]:
            place += 1
        self.minimum = min(self.minimum, value) if self.count else value
        self.maximum = max(self.maximum, value) if self.count else value
        self.buckets[place] += 1
        self.count += 1
        self.total += value


def _key(attributes: "Optional[Mapping[str, Any]]") -> "_Key":
    if not attributes:
        return ()
    return tuple(
        sorted(
            (name, tuple(value) if isinstance(value, (list, set)) else value)
            for name, value in attributes.items()
        )
    )
