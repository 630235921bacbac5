/** No script for a shell that is put together from values: a value could be read as commands. */
import { argumentsOf, interpolated, listed, type Argument } from '../arguments';
import { isNewCommand } from '../command';
import { constantText, constantValue, memberName, variableOf } from '../names';
import { literal, positional } from '../positional';
import { defineRule, optionsOf, unwrap, type Context, type Node, type Suggestion, type TSESTree } from '../rule';
import { scriptCall } from '../script';
import { scriptOf, type Script } from '../shells';

interface Options {
  readonly unknown: boolean;
}

export const noShellString = defineRule(
  'no-shell-string',
  {
    type: 'problem',
    description: 'Disallow shell scripts that are put together from values',
    hasSuggestions: true,
    schema: [{ type: 'object', properties: { unknown: { type: 'boolean' } }, additionalProperties: false }],
    messages: {
      built:
        'A value in this script for {{shell}} can run commands of its own. Run the program without a shell, or keep the script constant and pass the value as "$1".',
      unknown:
        'This script for {{shell}} may be put together from values. Write it here as a constant, and pass values as "$1".',
      builtOther:
        'A value in this command line for {{shell}} can run commands of its own. Run the program without a shell.',
      positional: 'Pass the values as arguments of the script ("$1").',
    },
  },
  (context) => {
    const options = optionsOf<Options>(context, { unknown: false });
    const { sourceCode } = context;
    const check = (program: string | undefined, args: readonly Argument[]): void => {
      const script = program === undefined ? undefined : scriptOf(program, args);
      if (script === undefined) return;
      for (const part of script.parts) {
        if (part.text !== undefined) continue;
        const built = part.node !== undefined && isBuilt(part.node, context);
        if (!built && !options.unknown) continue;
        const suggest = suggestion(part, script, context);
        context.report({
          node: part.node ?? part.call,
          messageId: !built ? 'unknown' : script.isPosix ? 'built' : 'builtOther',
          data: { shell: script.shell },
          suggest: suggest === undefined ? [] : [suggest],
        });
      }
    };
    return {
      NewExpression(node) {
        const [program] = node.arguments;
        if (program === undefined || !isNewCommand(node, context)) return;
        check(constantText(program, sourceCode), argumentsOf(node, sourceCode));
      },
      CallExpression(node) {
        const [program] = node.arguments;
        if (program === undefined || scriptCall(node, context) === undefined) return;
        check(constantText(program, sourceCode), listed(node, sourceCode));
      },
      TaggedTemplateExpression(node) {
        if (scriptCall(node, context) === undefined) return;
        const [program, ...args] = interpolated(node, sourceCode);
        check(program?.text, args);
      },
    };
  },
);

/** Methods that put text together. */
const builders = new Set(['concat', 'join', 'replace', 'replaceAll', 'format', 'addArgFormat', 'padEnd', 'padStart']);

/** Whether an expression puts text together, here or where its constant is declared. */
function isBuilt(node: Node, context: Context, depth = 0): boolean {
  if (depth > 20) return false;
  const value = unwrap(node);
  const inner = (part: Node): boolean => isBuilt(part, context, depth + 1);
  if (constantText(value, context.sourceCode) !== undefined) return false;
  switch (value.type) {
    case 'TemplateLiteral':
    case 'TaggedTemplateExpression':
      return true;
    case 'BinaryExpression':
      return value.operator === '+';
    case 'ConditionalExpression':
      return inner(value.consequent) || inner(value.alternate);
    case 'LogicalExpression':
      return inner(value.left) || inner(value.right);
    case 'CallExpression':
      return builds(value);
    case 'Identifier': {
      const variable = variableOf(value, context.sourceCode);
      const constant = variable && constantValue(variable);
      return constant !== undefined && inner(constant);
    }
    default:
      return false;
  }
}

function builds({ callee }: TSESTree.CallExpression): boolean {
  const name = callee.type === 'Identifier' ? callee.name : memberName(callee);
  return name !== undefined && builders.has(name);
}

function suggestion(part: Argument, script: Script, { sourceCode }: Context): Suggestion | undefined {
  const { node } = part;
  if (node?.type !== 'TemplateLiteral' || !script.isPosix || !script.isLast) return undefined;
  const rewritten = positional(node);
  if (rewritten === undefined) return undefined;
  const list = [
    literal(rewritten.script),
    literal(script.shell),
    ...rewritten.values.map((value) => sourceCode.getText(value)),
  ].join(', ');
  const { parent } = node;
  if (parent.type === 'ArrayExpression') {
    return { messageId: 'positional', fix: (fixer) => fixer.replaceText(node, list) };
  }
  if (parent.type !== 'CallExpression' || parent.callee.type !== 'MemberExpression') return undefined;
  const { property } = parent.callee;
  switch (memberName(parent.callee)) {
    case 'addArgList':
      return { messageId: 'positional', fix: (fixer) => fixer.replaceText(node, list) };
    case 'addArg':
      if (parent.callee.computed) return undefined;
      return {
        messageId: 'positional',
        fix: (fixer) => [fixer.replaceText(property, 'addArgList'), fixer.replaceText(node, list)],
      };
    default:
      return undefined;
  }
}
