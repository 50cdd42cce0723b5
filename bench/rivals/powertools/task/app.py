"""The function that does nothing, with the tracer of Powertools for AWS Lambda."""

from aws_lambda_powertools import Tracer

tracer = Tracer(service="noop")


@tracer.capture_lambda_handler
def handler(event, context):
    """Return the event."""
    return event
