/** The arguments of a command, as far as the file tells them: of the constructor, of its chain, of the variable it is in. */
import { constantText, constantValue, followed, memberName } from './names';
import { unwrap, wrapped, type Node, type Source, type TSESTree } from './rule';
import { textOf, valueOf, wordsOf } from './words';

/** One argument and the call that it is given to; no `node` for those that cannot be known (a spread, a variable). */
export interface Argument {
  /** For a word of a template that is not one value: the template. */
  readonly node: Node | undefined;
  /** If it is the same in every run. */
  readonly text: string | undefined;
  readonly call: Node;
}

function argument(node: Node | undefined, call: Node, source: Source): Argument {
  return { node, text: node && constantText(node, source), call };
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

const known = (node: Node | null | undefined): Node | undefined =>
  node === undefined || node === null || node.type === 'SpreadElement' ? undefined : node;

/** The elements of an array that is written there, or in the constant that stands there. */
function elements(node: Node | undefined, source: Source): (Node | undefined)[] {
  if (node === undefined) return [];
  const value = followed(node, source);
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
  const first = listed(command, source);
  const later = callsOn(command, source).flatMap((call) => {
    const name = memberName(call.callee);
    const added = name !== undefined && Object.hasOwn(adders, name) ? adders[name]?.(call, source) : undefined;
    return (added ?? []).map((node) => argument(node, call, source));
  });
  return [...first, ...later];
}

/** The arguments that stand in an array behind the program: of `new Command(program, […])`, `run(program, […])`. */
export function listed(call: TSESTree.CallExpression | TSESTree.NewExpression, source: Source): Argument[] {
  return elements(call.arguments[1], source).map((node) => argument(node, call, source));
}

/** The program and the arguments of a template, in order. */
export function interpolated(call: TSESTree.TaggedTemplateExpression, source: Source): Argument[] {
  return wordsOf(call.quasi).flatMap((word) => {
    const value = valueOf(word);
    if (value === undefined) return [{ node: call.quasi, text: textOf(word, source), call }];
    const list = followed(value, source);
    const nodes = list.type === 'ArrayExpression' ? list.elements.map(known) : [value];
    return nodes.map((node) => argument(node, call, source));
  });
}
