"""The function that does nothing, so that what is measured is everything else."""


def handler(event, _context):
    """Return the event."""
    return event
