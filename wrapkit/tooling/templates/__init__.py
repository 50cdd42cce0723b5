"""Infrastructure as code: templates edited in place, and code that does the same for others."""

from __future__ import annotations

from ._code import FORMATS, generate_code
from ._edit import EditedTemplate, TemplateAttachment, attach_template, detach_template
from ._permissions import statements
from ._request import CodeRequest
from ._text import added_lines

__all__ = [
    "FORMATS",
    "CodeRequest",
    "EditedTemplate",
    "TemplateAttachment",
    "added_lines",
    "attach_template",
    "detach_template",
    "generate_code",
    "statements",
]
