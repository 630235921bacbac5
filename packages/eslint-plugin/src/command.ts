/** What is a Command: known by its import, or by its type where there is type information. */
import { constantValue, importOf, memberName, variableOf } from './names';
import { unwrap, type Context, type Node, type TSESTree } from './rule';

/** What a way to run answers with. */
export type Answer = 'result' | 'running' | 'iterator' | 'sync';

/** How each way to run answers. */
export const RUNS: Readonly<Record<string, Answer>> = {
  run: 'result',
  runAsync: 'running',
  runLines: 'iterator',
  runRegex: 'iterator',
  runNul: 'iterator',
  runSync: 'sync',
};

/** Methods that answer with something else than a Command; all others are setters. */
const noSetters = new Set([...Object.keys(RUNS), 'getArgList', 'toString', 'toStringFull', 'writeArgLog']);

/** Whether a module exports our Command. `settings.vircommand.modules` names more, such as `./command`. */
export function isOurModule(module: string, context: Context): boolean {
  return /^(?:vircommand(?:\/|$)|@vircommand\/)/.test(module) || isNamedModule(module, context);
}

/** Whether `settings.vircommand.modules` names a module. */
export function isNamedModule(module: string, context: Context): boolean {
  const { modules } = (context.settings.vircommand ?? {}) as { modules?: unknown };
  return Array.isArray(modules) && modules.includes(module);
}

/** Whether an expression is this export of ours. */
export function isOurs(node: Node, name: string, context: Context): boolean {
  const from = importOf(node, context.sourceCode);
  return from?.name === name && isOurModule(from.module, context);
}

/** `new Command(…)`. */
export function isNewCommand(node: Node, context: Context): node is TSESTree.NewExpression {
  return node.type === 'NewExpression' && isOurs(node.callee, 'Command', context);
}

/** Whether the value of an expression is a Command. */
export function isCommand(node: Node, context: Context, depth = 0): boolean {
  if (depth > 100) return false;
  const value = unwrap(node);
  if (isNewCommand(value, context)) return true;
  if (value.type === 'CallExpression' && value.callee.type === 'MemberExpression') {
    const name = memberName(value.callee);
    if (name !== undefined && !noSetters.has(name) && isCommand(value.callee.object, context, depth + 1)) return true;
  }
  if (value.type === 'Identifier' && isCommandVariable(value, context, depth)) return true;
  return hasCommandType(value, context);
}

function isCommandVariable(name: TSESTree.Identifier, context: Context, depth: number): boolean {
  const variable = variableOf(name, context.sourceCode);
  if (variable === undefined) return false;
  const declared = variable.defs[0]?.name;
  const annotation = declared?.type === 'Identifier' ? declared.typeAnnotation?.typeAnnotation : undefined;
  if (annotation?.type === 'TSTypeReference' && isOurs(annotation.typeName, 'Command', context)) return true;
  const constant = constantValue(variable);
  return constant !== undefined && isCommand(constant, context, depth + 1);
}

/** By its methods, so a class that extends ours counts too. */
function hasCommandType(node: Node, { sourceCode: { parserServices } }: Context): boolean {
  const { program, getTypeAtLocation } = parserServices;
  if (program === undefined || program === null || getTypeAtLocation === undefined) return false;
  const type = getTypeAtLocation(node);
  return ['runAsync', 'addArgPair', 'run'].every((method) => type.getProperty(method) !== undefined);
}

/** The way to run that a call is, or `undefined` if it runs no command. */
export function runCall(node: Node, context: Context): string | undefined {
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined;
  const name = memberName(node.callee);
  if (name === undefined || !Object.hasOwn(RUNS, name)) return undefined;
  return isCommand(node.callee.object, context) ? name : undefined;
}
