# What the module makes of a function's own layers and variables; needs no provider and no account.

variables {
  layer_arn = "arn:aws:lambda:eu-west-1:123456789012:layer:wrapkit-python:3"
}

run "a_function_without_anything" {
  command = plan

  assert {
    condition     = output.layers == tolist([var.layer_arn])
    error_message = "the layer is the only one"
  }
  assert {
    condition     = output.variables == tomap({ AWS_LAMBDA_EXEC_WRAPPER = "/opt/otel-handler" })
    error_message = "the wrapper is the only variable"
  }
}

run "its_own_layers_and_variables_stay" {
  command = plan

  variables {
    layers    = ["arn:mine"]
    variables = { TABLE = "orders", OTEL_SERVICE_NAME = "mine" }
    defaults  = { OTEL_SERVICE_NAME = "theirs", OTEL_TRACES_EXPORTER = "otlp" }
  }

  assert {
    condition     = output.layers == tolist(["arn:mine", var.layer_arn])
    error_message = "wrapkit's layer comes last"
  }
  assert {
    condition     = output.variables["OTEL_SERVICE_NAME"] == "mine" && output.variables["TABLE"] == "orders"
    error_message = "the function's own variables win"
  }
  assert {
    condition     = output.variables["OTEL_TRACES_EXPORTER"] == "otlp"
    error_message = "defaults fill in"
  }
}

run "a_wrapper_that_is_there_is_chained" {
  command = plan

  variables {
    variables = { AWS_LAMBDA_EXEC_WRAPPER = "/opt/first", WRAPKIT_CHAIN = "/opt/second" }
  }

  assert {
    condition     = output.variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/otel-handler"
    error_message = "wrapkit's wrapper is set"
  }
  assert {
    condition     = output.variables["WRAPKIT_CHAIN"] == "/opt/first:/opt/second"
    error_message = "the others go on after it"
  }
}

run "a_wrapper_of_ours_stays" {
  command = plan

  variables {
    variables = { AWS_LAMBDA_EXEC_WRAPPER = "/opt/otel-instrument" }
  }

  assert {
    condition     = output.variables == tomap({ AWS_LAMBDA_EXEC_WRAPPER = "/opt/otel-instrument" })
    error_message = "nothing is chained to itself"
  }
}

run "five_layers_leave_no_room" {
  command = plan

  variables {
    layers = ["a", "b", "c", "d", "e"]
  }

  expect_failures = [var.layers]
}
