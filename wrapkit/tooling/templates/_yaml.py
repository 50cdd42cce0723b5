"""YAML of templates: plain data, intrinsic functions as short tags, values quoted where needed."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Tagged:
    """An intrinsic function in its short form: ``Tagged("Ref", "Layer")`` is ``!Ref Layer``."""

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value


def to_yaml(content: Mapping[str, Any], heading: str) -> str:
    """The document below its heading, each of whose lines becomes a comment."""
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Knows `Tagged`, and repeats equal parts rather than name them by anchors."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's shape
            return True

    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Representer
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # as given
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        Tagged, lambda dumper, tagged: dumper.represent_scalar(f"!{tagged.name}", tagged.value)
    )
    stream = io.StringIO()
    yaml.dump(dict(content), stream)
    comments = "".join(f"# {line}".rstrip() + "\n" for line in heading.splitlines())
    return comments + stream.getvalue()
