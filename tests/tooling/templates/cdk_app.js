// An app with functions of several kinds, and wrapkit's Aspect over all of them.
'use strict';

const { App, Aspects, Stack } = require('aws-cdk-lib');
const lambda = require('aws-cdk-lib/aws-lambda');
const { Wrapkit } = require('./wrapkit');

const app = new App({ outdir: process.argv[2] });
const stack = new Stack(app, 'Shop');
const code = lambda.Code.fromInline('def handler(event, context):\n    return 1\n');
const python = { runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code };
const mine = lambda.LayerVersion.fromLayerVersionArn(
  stack, 'Mine', 'arn:aws:lambda:eu-west-1:123456789012:layer:mine:1');

new lambda.Function(stack, 'Plain', python);
new lambda.Function(stack, 'Orders', {
  ...python,
  layers: [mine],
  environment: { TABLE: 'orders', AWS_LAMBDA_EXEC_WRAPPER: '/opt/datadog_wrapper' },
});
new lambda.Function(stack, 'Site', {
  runtime: lambda.Runtime.NODEJS_LATEST,
  handler: 'index.handler',
  code: lambda.Code.fromInline('exports.handler = async () => 1;'),
});
Aspects.of(app).add(new Wrapkit());
app.synth();
