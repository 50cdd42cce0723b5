"""Infrastructure as code: templates edited in place, and code that does the same for others."""

from __future__ import annotations

from ._code import FORMATS, generate_code
from ._edit import EditedTemplate, TemplateAttachment, attach_template, detach_template
from ._permissions import statements
from ._request import CodeRequest
from ._template import Template, child, is_plain_scalar, is_sequence, pairs, read_template
from ._text import added_lines

__all__ = [
    "FORMATS",
    "CodeRequest",
    "EditedTemplate",
    "Template",
    "TemplateAttachment",
    "added_lines",
    "attach_template",
    "child",
    "detach_template",
    "generate_code",
    "is_plain_scalar",
    "is_sequence",
    "pairs",
    "read_template",
    "statements",
]
