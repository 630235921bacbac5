/** No run that nobody waits for: its error would be nobody's, and its end unknown. */
import { RUNS, runCall } from '../command';
import { memberName } from '../names';
import { defineRule, optionsOf, unwrap, wrapped, type Context, type Node, type Suggestion } from '../rule';
import { scriptCall } from '../script';

interface Options {
  readonly ignoreVoid: boolean;
}

export const noFloatingRun = defineRule(
  'no-floating-run',
  {
    type: 'problem',
    description: 'Require the promises and iterators of runs to be used',
    hasSuggestions: true,
    schema: [{ type: 'object', properties: { ignoreVoid: { type: 'boolean' } }, additionalProperties: false }],
    messages: {
      promise: 'Nobody waits for this {{call}}, so its error is lost. Await it, return it, or handle its rejection.',
      iterator: 'Nobody reads the rows of this {{call}}, so nothing runs. Read them with for await.',
      variable: 'Nobody waits for this {{call}}: the variable it is kept in is never read. Await it.',
      await: 'Await it.',
    },
  },
  (context) => {
    const options = optionsOf<Options>(context, { ignoreVoid: true });
    const check = (node: Node): void => {
      const method = runCall(node, context);
      const { call, answer } =
        method === undefined ? (scriptCall(node, context) ?? {}) : { call: `${method}()`, answer: RUNS[method] };
      if (call === undefined || answer === undefined || answer === 'sync') return;
      const lost = lostAt(node, options);
      if (lost !== undefined) {
        const messageId = answer === 'iterator' ? 'iterator' : 'promise';
        const suggest = answer === 'iterator' ? undefined : awaitIt(node, lost, context);
        context.report({ node, messageId, data: { call }, suggest: suggest === undefined ? [] : [suggest] });
      } else if (isInUnreadVariable(node, context)) {
        context.report({ node, messageId: answer === 'iterator' ? 'iterator' : 'variable', data: { call } });
      }
    };
    return { CallExpression: check, TaggedTemplateExpression: check };
  },
);

const combinators = new Set(['all', 'allSettled', 'any', 'race']);

/** The outermost expression whose value is the promise, if that value goes nowhere. */
function lostAt(node: Node, options: Options): Node | undefined {
  const value = wrapped(node);
  const { parent } = value;
  switch (parent?.type) {
    case 'ExpressionStatement':
      return value;
    case 'UnaryExpression':
      if (parent.operator !== 'void') return undefined;
      return options.ignoreVoid ? undefined : value;
    case 'LogicalExpression':
      return parent.right === value ? lostAt(parent, options) : undefined;
    case 'ConditionalExpression':
      return parent.test === value ? undefined : lostAt(parent, options);
    case 'SequenceExpression':
      return parent.expressions.at(-1) === value ? lostAt(parent, options) : value;
    case 'MemberExpression':
      return parent.object === value ? lostInChain(parent, options) : undefined;
    case 'ArrayExpression':
      return lostInCombinator(parent, options);
    case 'ArrowFunctionExpression':
      return parent.body === value && !parent.async && isCallbackOfForEach(parent) ? value : undefined;
    default:
      return undefined;
  }
}

/** `.then(f)` and `.finally(f)` answer with a promise that rejects as the run does. */
function lostInChain(member: Node, options: Options): Node | undefined {
  const call = wrapped(member).parent;
  if (call?.type !== 'CallExpression' || unwrap(call.callee) !== member) return undefined;
  const name = memberName(member);
  const passesOn = name === 'finally' || (name === 'then' && call.arguments.length < 2);
  return passesOn ? lostAt(call, options) : undefined;
}

function lostInCombinator(list: Node, options: Options): Node | undefined {
  const call = list.parent;
  if (call?.type !== 'CallExpression' || call.callee.type !== 'MemberExpression') return undefined;
  const { object } = call.callee;
  const isPromise = object.type === 'Identifier' && object.name === 'Promise';
  return isPromise && combinators.has(memberName(call.callee) ?? '') ? lostAt(call, options) : undefined;
}

function isCallbackOfForEach(node: Node): boolean {
  const { parent } = node;
  return parent?.type === 'CallExpression' && parent.arguments[0] === node && memberName(parent.callee) === 'forEach';
}

function isInUnreadVariable(node: Node, { sourceCode }: Context): boolean {
  const { parent } = wrapped(node);
  if (parent?.type !== 'VariableDeclarator' || parent.id.type !== 'Identifier') return false;
  // What is exported is read elsewhere; in a script, so is what is at its top.
  if (parent.parent.parent.type === 'ExportNamedDeclaration') return false;
  // The end of the block waits for it.
  if (parent.parent.kind === 'await using') return false;
  const [variable] = sourceCode.getDeclaredVariables(parent);
  return variable?.references.every((reference) => !reference.isRead()) === true;
}

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

const awaitable = new Set(['CallExpression', 'ChainExpression', 'TaggedTemplateExpression']);

/** Only where `await` may stand; not for a callback, which would have to become async. */
function awaitIt(run: Node, lost: Node, context: Context): Suggestion | undefined {
  let around: Node | undefined = lost.parent;
  while (around !== undefined && !functions.has(around.type) && around.type !== 'Program') {
    if (around.type === 'StaticBlock' || around.type === 'PropertyDefinition') return undefined;
    around = around.parent;
  }
  const allowed =
    around?.type === 'Program'
      ? context.languageOptions.sourceType === 'module'
      : around !== undefined && 'async' in around && around.async;
  if (!allowed) return undefined;
  // Below an operator the run itself is awaited, where that is the same.
  const target = awaitable.has(lost.type) ? lost : wrapped(run);
  return { messageId: 'await', fix: (fixer) => fixer.insertTextBefore(target, 'await ') };
}
