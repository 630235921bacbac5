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
        const suggest =
          answer === 'iterator' || lost.promise === undefined ? undefined : awaitIt(lost.promise, context);
        context.report({ node, messageId, data: { call }, suggest: suggest === undefined ? [] : [suggest] });
      } else if (isInUnreadVariable(node, context)) {
        context.report({ node, messageId: answer === 'iterator' ? 'iterator' : 'variable', data: { call } });
      }
    };
    return { CallExpression: check, TaggedTemplateExpression: check };
  },
);

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const combinators = new Set(['all', 'allSettled', 'any', 'race']);

/** A promise whose value goes nowhere. */
interface Lost {
  /** What to await; none if that is not enough. */
  readonly promise: Node | undefined;
}

/** Whether the value of an expression goes nowhere. */
function lostAt(node: Node, options: Options): Lost | undefined {
  const value = wrapped(node);
  const { parent } = value;
  switch (parent?.type) {
    case 'ExpressionStatement':
      return { promise: value };
    case 'UnaryExpression':
      if (parent.operator !== 'void') return undefined;
      return options.ignoreVoid ? undefined : { promise: value };
    case 'LogicalExpression':
      return parent.right === value ? below(parent, value, options) : undefined;
    case 'ConditionalExpression':
      return parent.test === value ? undefined : below(parent, value, options);
    case 'SequenceExpression':
      return parent.expressions.at(-1) === value ? below(parent, value, options) : { promise: value };
    case 'MemberExpression':
      return parent.object === value ? lostInChain(parent, options) : undefined;
    case 'ArrayExpression':
      return lostInList(parent, options);
    case 'ArrowFunctionExpression':
      return parent.body === value ? lostByCallback(parent, options) : undefined;
    case 'ReturnStatement': {
      const callback = functionAround(parent);
      return callback === undefined ? undefined : lostByCallback(callback, options);
    }
    default:
      return undefined;
  }
}

/** Below an operator it is the operand that is awaited, where that is the same. */
function below(operator: Node, operand: Node, options: Options): Lost | undefined {
  const lost = lostAt(operator, options);
  return lost?.promise === wrapped(operator) ? { promise: operand } : lost;
}

/** `.then(f)`, `.finally(f)` and a `.catch()` without a handler answer with a promise that rejects as the run does. */
function lostInChain(member: Node, options: Options): Lost | undefined {
  const call = wrapped(member).parent;
  if (call?.type !== 'CallExpression' || unwrap(call.callee) !== member) return undefined;
  const handlers: Readonly<Record<string, Node | undefined>> = { catch: call.arguments[0], then: call.arguments[1] };
  const name = memberName(member) ?? '';
  const passesOn = name === 'finally' || (Object.hasOwn(handlers, name) && isNoHandler(handlers[name]));
  return passesOn ? lostAt(call, options) : undefined;
}

function isNoHandler(node: Node | undefined): boolean {
  if (node === undefined) return true;
  const value = unwrap(node);
  return value.type === 'Identifier' ? value.name === 'undefined' : value.type === 'Literal';
}

/** A list of promises, that a combinator may make one of. */
function lostInList(list: Node, options: Options): Lost | undefined {
  const value = wrapped(list);
  const call = value.parent;
  if (call?.type === 'CallExpression' && call.arguments[0] === value) {
    const { callee } = call;
    const isCombinator = callee.type === 'MemberExpression' && combinators.has(memberName(callee) ?? '');
    const isPromise = isCombinator && callee.object.type === 'Identifier' && callee.object.name === 'Promise';
    return isPromise ? lostAt(call, options) : undefined;
  }
  // A chain of the list's own methods is not followed.
  if (call?.type === 'MemberExpression') return undefined;
  const lost = lostAt(list, options);
  return lost && { promise: undefined };
}

/** Functions that call back later, and take no answer. */
const timers = new Set(['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'nextTick']);

/** What becomes of the answer of a function that is given to another. */
function lostByCallback(callback: Node, options: Options): Lost | undefined {
  const value = wrapped(callback);
  const call = value.parent;
  if (call?.type !== 'CallExpression' || call.arguments[0] !== value) return undefined;
  const callee = unwrap(call.callee);
  const name = callee.type === 'Identifier' ? callee.name : memberName(callee);
  if (name === undefined) return undefined;
  if (timers.has(name) || (name === 'forEach' && callee.type === 'MemberExpression')) {
    return { promise: undefined };
  }
  return name === 'map' && callee.type === 'MemberExpression' ? lostInList(call, options) : undefined;
}

/** The function, no generator, that a statement returns from. */
function functionAround(node: Node): Node | undefined {
  const { parent } = node;
  if (parent === undefined) return undefined;
  if (!functions.has(parent.type)) return functionAround(parent);
  return 'generator' in parent && parent.generator ? undefined : parent;
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

/** Only where `await` may stand; not for a callback, which would have to become async. */
function awaitIt(promise: Node, context: Context): Suggestion | undefined {
  let around: Node | undefined = promise.parent;
  while (around !== undefined && !functions.has(around.type) && around.type !== 'Program') {
    if (around.type === 'StaticBlock' || around.type === 'PropertyDefinition') return undefined;
    around = around.parent;
  }
  const allowed =
    around?.type === 'Program'
      ? context.languageOptions.sourceType === 'module'
      : around !== undefined && 'async' in around && around.async;
  if (!allowed) return undefined;
  return { messageId: 'await', fix: (fixer) => fixer.insertTextBefore(promise, 'await ') };
}
