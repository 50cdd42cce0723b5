1 / 0  # noqa: B018 - this module exists to fail on import
