"""Infrastructure as code: templates edited in place, and code that does the same for others."""

from __future__ import annotations

from ._edit import EditedTemplate, TemplateAttachment, attach_template, detach_template
from ._permissions import statements
from ._text import added_lines

__all__ = [
    "EditedTemplate",
    "TemplateAttachment",
    "added_lines",
    "attach_template",
    "detach_template",
    "statements",
]
