# Merges wrapkit into what a function has. Needs no provider: `terraform test` tries it without an account.

variable "layer_arn" {
  description = "The layer version of wrapkit"
  type        = string
}

variable "wrapper" {
  description = "The exec wrapper; empty for an extension alone"
  type        = string
  default     = "/opt/otel-handler"
}

variable "defaults" {
  description = "Variables for functions that do not have them"
  type        = map(string)
  default     = {}
}

variable "layers" {
  description = "The function's own layers"
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.layers) < 5
    error_message = "Lambda takes 5 layers, and wrapkit's is one of them."
  }
}

variable "variables" {
  description = "The function's own variables"
  type        = map(string)
  default     = {}
}

locals {
  existing_wrapper = lookup(var.variables, "AWS_LAMBDA_EXEC_WRAPPER", "")
  existing_chain   = lookup(var.variables, "WRAPKIT_CHAIN", "")
  is_ours          = contains(["", "/opt/otel-handler", "/opt/otel-instrument", "/opt/wrapkit-handler"], local.existing_wrapper)
  chain            = local.is_ours || var.wrapper == "" ? "" : join(":", compact([local.existing_wrapper, local.existing_chain]))

  wrapper_variables = var.wrapper == "" ? {} : {
    AWS_LAMBDA_EXEC_WRAPPER = local.is_ours && local.existing_wrapper != "" ? local.existing_wrapper : var.wrapper
  }
  chain_variables = local.chain == "" ? {} : { WRAPKIT_CHAIN = local.chain }
}

output "layers" {
  description = "The function's layers with wrapkit's, which comes last"
  value       = tolist(concat(var.layers, [var.layer_arn]))
}

output "variables" {
  description = "The function's variables with wrapkit's; its own win"
  value       = merge(var.defaults, var.variables, local.wrapper_variables, local.chain_variables)
}
