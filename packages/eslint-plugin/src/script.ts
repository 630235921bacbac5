/** The calls of `@vircommand/script`: `$`, `run()`, `runSync()`, `runLines()`, imported or made by `createScript()`. */
import { isNamedModule, type Answer } from './command';
import { followed, importOf, memberName } from './names';
import { unwrap, type Context, type Node } from './rule';

const functions: Readonly<Record<string, Answer>> = { run: 'result', runSync: 'sync', runLines: 'iterator' };
/** Members of `$`. */
const forms: Readonly<Record<string, Answer>> = { sync: 'sync', lines: 'iterator' };

/** One call that runs a program. */
interface ScriptCall {
  /** As messages name it. */
  readonly call: string;
  readonly answer: Answer;
}

/** The name of what a module of scripts exports, or `createScript()` makes. */
function scriptName(node: Node, context: Context): string | undefined {
  const from = importOf(node, context.sourceCode);
  if (from === undefined) return undefined;
  const isScript = from.module === 'vircommand/script' || from.module === '@vircommand/script';
  return isScript || isNamedModule(from.module, context) ? from.name : undefined;
}

/** Whether an expression is `$`, or `$({ … })`. */
export function isTemplate(node: Node, context: Context, depth = 0): boolean {
  if (depth > 100) return false;
  if (scriptName(node, context) === '$') return true;
  const value = followed(node, context.sourceCode);
  return value.type === 'CallExpression' && isTemplate(value.callee, context, depth + 1);
}

/** The call that an expression is, if it runs a program. */
export function scriptCall(node: Node, context: Context): ScriptCall | undefined {
  if (node.type === 'CallExpression') {
    const name = scriptName(node.callee, context) ?? '';
    const answer = Object.hasOwn(functions, name) ? functions[name] : undefined;
    return answer && { call: `${name}()`, answer };
  }
  if (node.type !== 'TaggedTemplateExpression') return undefined;
  if (isTemplate(node.tag, context)) return { call: '$', answer: 'result' };
  const tag = unwrap(node.tag);
  const form = memberName(tag) ?? '';
  if (tag.type !== 'MemberExpression' || !Object.hasOwn(forms, form)) return undefined;
  const answer = forms[form];
  return answer && isTemplate(tag.object, context) ? { call: `$.${form}`, answer } : undefined;
}
