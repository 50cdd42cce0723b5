module otelcol

go 1.25.0

require (
	go.opentelemetry.io/collector/component v1.56.0
	go.opentelemetry.io/collector/confmap/provider/envprovider v1.56.0
	go.opentelemetry.io/collector/confmap/provider/yamlprovider v1.56.0
	go.opentelemetry.io/collector/exporter/otlphttpexporter v0.150.0
	go.opentelemetry.io/collector/otelcol v0.150.0
	go.opentelemetry.io/collector/processor/batchprocessor v0.150.0
	go.opentelemetry.io/collector/receiver/otlpreceiver v0.150.0
)
