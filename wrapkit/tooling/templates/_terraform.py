"""``wrapkit template --format terraform``: a module that merges, and the resources around it.

The module has no provider, so that what it merges can be tested without an account.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._request import CodeRequest

_FILES = Path(__file__).parent / "_files"

_MAIN = """\
# wrapkit on functions of AWS Lambda, by `wrapkit template --format terraform`.

locals {{
  # What your functions have without wrapkit.
  wrapkit_functions = {{
{functions}
  }}
}}

module "wrapkit" {{
  source   = "./wrapkit"
  for_each = local.wrapkit_functions

  layer_arn = {layer_arn}
  wrapper   = {wrapper}
  layers    = each.value.layers
  variables = each.value.variables

  defaults = {defaults}
}}
{resources}
# In each function:
#
# resource "aws_lambda_function" {example} {{
#   ...
#   layers = module.wrapkit[{example}].layers
#   environment {{
#     variables = module.wrapkit[{example}].variables
#   }}
# }}
"""

_LAYER = """
resource "aws_lambda_layer_version" "wrapkit" {{
  layer_name          = {name}
  filename            = {path}
  source_code_hash    = filebase64sha256({path})
  compatible_runtimes = {runtimes}
  skip_destroy        = true
}}
"""

_POLICY = """
variable "wrapkit_roles" {{
  description = "The names of the functions' roles, by the functions' names"
  type        = map(string)
}}

resource "aws_iam_role_policy" "wrapkit" {{
  for_each = var.wrapkit_roles

  name = "wrapkit-export"
  role = each.value

  policy = jsonencode({policy})
}}
"""


def render(request: CodeRequest) -> dict[str, str]:
    """The module, and a file that uses it."""
    width = max(len(hcl(name)) for name in request.functions)
    functions = "\n".join(
        f"    {hcl(name).ljust(width)} = {{ layers = [], variables = {{}} }}"
        for name in request.functions
    )
    layer_arn = hcl(request.layer) if request.is_arn else "aws_lambda_layer_version.wrapkit.arn"
    text = _MAIN.format(
        functions=functions,
        layer_arn=layer_arn,
        wrapper=hcl(request.wrapper),
        defaults=hcl(dict(request.variables), 2),
        resources=_resources(request),
        example=hcl(request.functions[0]),
    )
    module = (_FILES / "wrapkit_module.tf").read_text(encoding="utf-8")
    return {"wrapkit.tf": text, "wrapkit/main.tf": module}


def _resources(request: CodeRequest) -> str:
    text = ""
    if not request.is_arn:
        text += _LAYER.format(
            name=hcl(request.layer_name), path=hcl(request.layer), runtimes=hcl(request.runtimes)
        )
    if request.statements:
        policy = {"Version": "2012-10-17", "Statement": request.statements}
        text += _POLICY.format(policy=hcl(policy, 2))
    return text


def hcl(value: Any, indent: int = 0) -> str:
    """A value as an HCL expression; no text of it is a template of Terraform's."""
    if isinstance(value, dict):
        return _object(value, indent)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(hcl(item, indent) for item in value) + "]"
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")


def _object(value: dict[str, Any], indent: int) -> str:
    if not value:
        return "{}"
    margin = " " * indent
    items = {key: hcl(item, indent + 2) for key, item in value.items()}
    # As `terraform fmt` aligns: neighbours of one line each.
    short = {key for key, item in items.items() if "\n" not in item}
    width = max(map(len, short), default=0)
    lines = [
        f"{margin}  {key.ljust(width) if key in short else key} = {item}"
        for key, item in items.items()
    ]
    return "{\n" + "\n".join(lines) + f"\n{margin}}}"
