/** The arguments of a command, as far as the file tells them: of the constructor, of its chain, of the variable it is in. */
import { constantValue, memberName, variableOf } from './names';
import { unwrap, wrapped, type Node, type Source, type TSESTree } from './rule';

/** One argument and the call that it is given to; no `node` for those that cannot be known (a spread, a variable). */
export interface Argument {
  readonly node: Node | undefined;
  readonly call: TSESTree.CallExpression | TSESTree.NewExpression;
}

/** Calls that add arguments, and how they take them. */
const adders: Readonly<Record<string, (call: TSESTree.CallExpression, source: Source) => (Node | undefined)[]>> = {
  addArg: (call) => call.arguments.slice(0, 1).map(known),
  addArgs: (call, source) => elements(call.arguments[0], source),
  addArgList: (call) => call.arguments.map(known),
  // Name and value are one argument that no shell takes for a script.
  addArgPair: () => [undefined],
  addArgFormat: (call) => [call],
};

const known = (node: Node | null): Node | undefined =>
  node === null || node.type === 'SpreadElement' ? undefined : node;

/** The elements of an array that is written there, or in the constant that stands there. */
function elements(node: Node | undefined, source: Source): (Node | undefined)[] {
  if (node === undefined) return [];
  let value = unwrap(node);
  if (value.type === 'Identifier') {
    const variable = variableOf(value, source);
    value = (variable && constantValue(variable)) ?? value;
  }
  return value.type === 'ArrayExpression' ? value.elements.map(known) : [undefined];
}

/** The calls on a command, in the order of the text: those chained to it, and those on the constant that holds it. */
export function callsOn(command: Node, source: Source): TSESTree.CallExpression[] {
  const calls: TSESTree.CallExpression[] = [];
  let node = wrapped(command);
  for (;;) {
    const member = node.parent;
    if (member?.type !== 'MemberExpression' || member.object !== node) break;
    const call = wrapped(member).parent;
    if (call?.type !== 'CallExpression' || unwrap(call.callee) !== member) break;
    calls.push(call);
    node = wrapped(call);
  }
  const declarator = node.parent;
  if (declarator?.type !== 'VariableDeclarator' || declarator.id.type !== 'Identifier') return calls;
  const [variable] = source.getDeclaredVariables(declarator);
  if (variable === undefined || constantValue(variable) === undefined) return calls;
  return calls.concat(
    variable.references.flatMap(({ identifier, init }) => (init === true ? [] : callsOn(identifier, source))),
  );
}

/** All arguments of `new Command(program, …)`, in order. */
export function argumentsOf(command: TSESTree.NewExpression, source: Source): Argument[] {
  const first = elements(command.arguments[1], source).map((node) => ({ node, call: command }));
  const later = callsOn(command, source).flatMap((call) => {
    const name = memberName(call.callee);
    const added = name !== undefined && Object.hasOwn(adders, name) ? adders[name]?.(call, source) : undefined;
    return (added ?? []).map((node) => ({ node, call }));
  });
  return [...first, ...later];
}
