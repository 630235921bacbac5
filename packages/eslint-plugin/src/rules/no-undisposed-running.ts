/** No program left running: what `runAsync()` gives must end on every way out. */
import { callsOn } from '../arguments';
import { isNewCommand, runCall } from '../command';
import { followed, memberName } from '../names';
import { defineRule, optionsOf, wrapped, type Context, type Node, type Suggestion, type TSESTree } from '../rule';
import { scriptCall } from '../script';

interface Options {
  readonly requireUsing: boolean;
}

export const noUndisposedRunning = defineRule(
  'no-undisposed-running',
  {
    type: 'problem',
    description: 'Require running commands to be waited for or disposed',
    hasSuggestions: true,
    schema: [{ type: 'object', properties: { requireUsing: { type: 'boolean' } }, additionalProperties: false }],
    messages: {
      dropped: 'Nothing ends this program: runAsync() only starts it. Use run(), or keep it with await using.',
      daemon:
        'Nobody has the pipes or the handshake of this daemon, which are what runAsync() is for. Use run(), which waits for its start too.',
      open: 'Nothing ends this program. Declare it with await using, or call wait() or abort() on it.',
      process:
        'Nobody waits for this {{call}}, and nothing ends the program. Await it, or declare it with await using.',
      using: 'An error before wait() or abort() leaves this program running. Declare it with await using.',
      useRun: 'Use run().',
      awaitUsing: 'Declare it with await using.',
    },
  },
  (context) => {
    const options = optionsOf<Options>(context, { requireUsing: false });
    /** `$` and `run()` of scripts answer at once: a promise that is dropped is for no-floating-run to find. */
    const checkProcess = (node: Node): void => {
      const found = scriptCall(node, context);
      if (found?.answer !== 'result' || use(node, processMembers, { requireUsing: false }, context) !== 'open') return;
      const suggest = useUsing(node, context);
      const data = { call: found.call };
      context.report({ node, messageId: 'process', data, suggest: suggest === undefined ? [] : [suggest] });
    };
    return {
      TaggedTemplateExpression: checkProcess,
      CallExpression(node) {
        checkProcess(node);
        if (runCall(node, context) !== 'runAsync') return;
        const value = startedValue(node, context);
        if (value === undefined) return;
        const found =
          'parameter' in value ? parameterUse(value.parameter, context) : use(value.node, members, options, context);
        if (found === undefined) return;
        // It is not left running by mistake.
        if (isDaemon(node.callee, context)) {
          if (found !== 'dropped') return;
          const suggest = useRun(node, value);
          context.report({ node, messageId: 'daemon', suggest: suggest === undefined ? [] : [suggest] });
          return;
        }
        const suggest =
          found === 'dropped' ? useRun(node, value) : 'node' in value ? useUsing(value.node, context) : undefined;
        context.report({ node, messageId: found, suggest: suggest === undefined ? [] : [suggest] });
      },
    };
  },
);

/** Whether `daemonize()` is among the calls on the command that a method is called on. */
function isDaemon(callee: Node, context: Context): boolean {
  if (callee.type !== 'MemberExpression') return false;
  const value = followed(callee.object, context.sourceCode);
  if (value.type === 'CallExpression')
    return memberName(value.callee) === 'daemonize' || isDaemon(value.callee, context);
  return (
    isNewCommand(value, context) &&
    callsOn(value, context.sourceCode).some((call) => memberName(call.callee) === 'daemonize')
  );
}

type Use = 'dropped' | 'open' | 'using' | undefined;
/** Where the running command is once the promise has resolved. */
type Started = { readonly node: Node } | { readonly parameter: TSESTree.Parameter } | undefined;

/** Through `await`, a constant that holds the promise, and the callback of `then()`. */
function startedValue(promise: Node, context: Context, depth = 0): Started {
  const value = wrapped(promise);
  const { parent } = value;
  if (parent?.type === 'AwaitExpression') return { node: parent };
  if (parent?.type === 'MemberExpression' && memberName(parent) === 'then') {
    const call = parent.parent;
    const [callback] = call.type === 'CallExpression' && call.callee === parent ? call.arguments : [];
    if (callback?.type !== 'ArrowFunctionExpression' && callback?.type !== 'FunctionExpression') return undefined;
    const [parameter] = callback.params;
    return parameter === undefined ? undefined : { parameter };
  }
  if (parent?.type !== 'VariableDeclarator' || parent.id.type !== 'Identifier' || depth > 0) return undefined;
  const [variable] = context.sourceCode.getDeclaredVariables(parent);
  const reads = variable?.references.filter((reference) => reference.isRead()) ?? [];
  // Several readers may share the work; only the single one is followed.
  return reads.length === 1 && reads[0] !== undefined
    ? startedValue(reads[0].identifier, context, depth + 1)
    : undefined;
}

interface Members {
  /** Those that end the program or wait for its end. */
  readonly enders: ReadonlySet<string>;
  /** Those that do not. */
  readonly observers: ReadonlySet<string>;
}

/** Of a running command; `lines()` ends it at the end of its loop. */
const members: Members = {
  enders: new Set(['wait', 'abort', 'lines', 'Symbol.dispose', 'Symbol.asyncDispose']),
  observers: new Set(['pid', 'stdin', 'stdout', 'stderr', 'kill', 'handshakeWait', 'handshakeNotify']),
};
/** Of what `$` and `run()` of scripts answer with. */
const processMembers: Members = {
  enders: new Set(['then', 'catch', 'finally', 'kill', 'Symbol.asyncDispose']),
  observers: new Set(['pid']),
};

/** What is wrong with how the value of an expression is used. */
function use(node: Node, of: Members, options: Options, context: Context): Use {
  const value = wrapped(node);
  const { parent } = value;
  switch (parent?.type) {
    case 'ExpressionStatement':
      return 'dropped';
    case 'UnaryExpression':
      return parent.operator === 'void' ? 'dropped' : undefined;
    case 'MemberExpression': {
      if (parent.object !== value) return undefined;
      const name = memberName(parent) ?? '';
      if (of.observers.has(name)) return 'open';
      return undefined;
    }
    case 'VariableDeclarator':
      if (parent.parent.kind === 'using' || parent.parent.kind === 'await using') return undefined;
      return parent.id.type === 'Identifier' ? variableUse(parent, of, options, context) : patternUse(parent.id, of);
    case 'AssignmentExpression':
      return parent.left.type === 'ObjectPattern' ? patternUse(parent.left, of) : undefined;
    default:
      return undefined;
  }
}

function variableUse(declarator: TSESTree.VariableDeclarator, of: Members, options: Options, context: Context): Use {
  const { parent: around } = declarator.parent;
  if (around.type === 'ExportNamedDeclaration') return undefined;
  const [variable] = context.sourceCode.getDeclaredVariables(declarator);
  if (variable === undefined) return undefined;
  const uses = variable.references.filter(({ init }) => init !== true).map(({ identifier }) => usesOf(identifier, of));
  // A promise that nobody reads is for no-floating-run to find.
  if (uses.length === 0 && of === processMembers) return undefined;
  if (uses.includes('passed')) return undefined;
  if (!uses.includes('ended')) return 'open';
  return options.requireUsing ? 'using' : undefined;
}

/** What one mention of a running command does with it. */
function usesOf(name: Node, of: Members): 'observed' | 'ended' | 'passed' {
  const value = wrapped(name);
  const { parent } = value;
  if (parent?.type === 'ExpressionStatement') return 'observed';
  if (parent?.type === 'VariableDeclarator' && parent.id.type === 'ObjectPattern') {
    return patternUse(parent.id, of) === undefined ? 'ended' : 'observed';
  }
  if (parent?.type !== 'MemberExpression' || parent.object !== value) return 'passed';
  const member = memberName(parent);
  if (member === undefined) return 'passed';
  return of.enders.has(member) ? 'ended' : 'observed';
}

function patternUse(pattern: TSESTree.DestructuringPattern, of: Members): Use {
  if (pattern.type !== 'ObjectPattern') return undefined;
  const names = pattern.properties.map((property) =>
    property.type === 'Property' && property.key.type === 'Identifier' && !property.computed
      ? property.key.name
      : undefined,
  );
  return names.every((name) => name !== undefined && of.observers.has(name)) ? 'open' : undefined;
}

function parameterUse(parameter: TSESTree.Parameter, context: Context): Use {
  if (parameter.type === 'ObjectPattern') return patternUse(parameter, members);
  const { parent } = parameter;
  if (parameter.type !== 'Identifier' || parent.type === 'TSParameterProperty') return undefined;
  const variable = context.sourceCode.getDeclaredVariables(parent).find(({ name }) => name === parameter.name);
  return variable?.references.every(({ identifier }) => usesOf(identifier, members) === 'observed') === true
    ? 'open'
    : undefined;
}

function useRun(call: TSESTree.CallExpression, value: Exclude<Started, undefined>): Suggestion | undefined {
  if (!('node' in value) || call.callee.type !== 'MemberExpression' || call.callee.computed) return undefined;
  const { property } = call.callee;
  return { messageId: 'useRun', fix: (fixer) => fixer.replaceText(property, 'run') };
}

/** Only where the declaration may be one, and the parser knows it. */
function useUsing(node: Node, { languageOptions, sourceCode }: Context): Suggestion | undefined {
  const declarator = wrapped(node).parent;
  if (declarator?.type !== 'VariableDeclarator' || declarator.id.type !== 'Identifier') return undefined;
  const declaration = declarator.parent;
  const knows = (languageOptions.ecmaVersion ?? 0) >= 2026 || sourceCode.parserServices.getTypeAtLocation !== undefined;
  const place = declaration.parent.type === 'BlockStatement' || declaration.parent.type === 'Program';
  if (!knows || !place || declaration.kind !== 'const' || declaration.declarations.length > 1) return undefined;
  const [start] = declaration.range;
  return {
    messageId: 'awaitUsing',
    fix: (fixer) => fixer.replaceTextRange([start, start + 'const'.length], 'await using'),
  };
}
