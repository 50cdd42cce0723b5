// wrapkit on every function below a scope of the CDK. Written by `wrapkit template --format cdk`.
//
//   const { Aspects } = require('aws-cdk-lib');
//   const { Wrapkit } = require('./wrapkit');
//   Aspects.of(app).add(new Wrapkit());

'use strict';

const { Annotations, Stack, Token } = require('aws-cdk-lib');
const iam = require('aws-cdk-lib/aws-iam');
const lambda = require('aws-cdk-lib/aws-lambda');

const DEFAULTS = __DEFAULTS__;

const OURS = ['/opt/otel-handler', '/opt/otel-instrument', '/opt/wrapkit-handler'];
const MAX_LAYERS = 5;

/**
 * An Aspect. Options, each with the default above: `layer` (the ARN of a layer version, or the path of an
 * archive), `wrapper`, `runtimes`, `variables`, `statements`, and `functions` (names or construct ids;
 * empty means all of the runtimes).
 */
class Wrapkit {
  constructor(options = {}) {
    this.options = { ...DEFAULTS, ...options };
    this.layers = new Map();
  }

  visit(node) {
    // The L1 construct: every L2 has one, and what others set on it is seen here.
    if (!(node instanceof lambda.CfnFunction) || !this.isMeant(node)) {
      return;
    }
    const stack = Stack.of(node);
    const layers = stack.resolve(node.layers) || [];
    if (layers.length >= MAX_LAYERS) {
      Annotations.of(node).addError(`Lambda takes ${MAX_LAYERS} layers, and wrapkit's is one of them`);
      return;
    }
    const layer = this.layerIn(stack);
    node.addPropertyOverride('Layers', [...layers, layer]);
    const own = (stack.resolve(node.environment) || {}).variables || {};
    for (const [name, value] of Object.entries(this.variablesFor(own))) {
      node.addPropertyOverride(`Environment.Variables.${name}`, value);
    }
    this.allow(node);
  }

  isMeant(node) {
    const { functions, runtimes } = this.options;
    if (node.packageType === 'Image' || !node.runtime) {
      return false;
    }
    const path = node.node.path.split('/');
    const named = functions.includes(node.functionName) || path.some((id) => functions.includes(id));
    return runtimes.includes(node.runtime) && (functions.length === 0 || named);
  }

  /** The ARN, or the version made of the archive: one in each stack. */
  layerIn(stack) {
    if (this.options.layer.startsWith('arn:')) {
      return this.options.layer;
    }
    if (!this.layers.has(stack)) {
      const version = new lambda.LayerVersion(stack, 'WrapkitLayer', {
        layerVersionName: this.options.layerName,
        code: lambda.Code.fromAsset(this.options.layer),
      });
      this.layers.set(stack, stack.resolve(version.layerVersionArn));
    }
    return this.layers.get(stack);
  }

  /** What is to be set over the function's own variables, which win. */
  variablesFor(own) {
    const wanted = {};
    for (const [name, value] of Object.entries(this.options.variables)) {
      if (!(name in own)) {
        wanted[name] = value;
      }
    }
    const there = own.AWS_LAMBDA_EXEC_WRAPPER;
    if (!this.options.wrapper || OURS.includes(there)) {
      return wanted;
    }
    if (there && Token.isUnresolved(there)) {
      throw new Error('AWS_LAMBDA_EXEC_WRAPPER is not written out: wrapkit cannot chain it');
    }
    wanted.AWS_LAMBDA_EXEC_WRAPPER = this.options.wrapper;
    if (there) {
      wanted.WRAPKIT_CHAIN = [there, own.WRAPKIT_CHAIN].filter(Boolean).join(':');
    }
    return wanted;
  }

  allow(node) {
    const parent = node.node.scope;
    for (const statement of this.options.statements) {
      const allowed =
        parent instanceof lambda.Function &&
        parent.role &&
        parent.role.addToPrincipalPolicy(iam.PolicyStatement.fromJson(statement)).statementAdded;
      if (!allowed) {
        Annotations.of(node).addWarning(`wrapkit: allow the function's role ${statement.Action}`);
      }
    }
  }
}

module.exports = { Wrapkit };
