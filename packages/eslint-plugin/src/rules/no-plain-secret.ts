/** No secret as a plain argument: it would be in logs, error messages and recordings. */
import { callsOn } from '../arguments';
import { isNewCommand, isOurModule, isOurs } from '../command';
import { constantText, constantValue, followed, memberName, variableOf } from '../names';
import { defineRule, optionsOf, unwrap, type Context, type Node, type Suggestion, type TSESTree } from '../rule';
import { isTemplate, scriptCall } from '../script';
import { makeSecretTest, namesOf, secretNames, type SecretNames } from '../secrets';
import { textBefore, textOf, valueOf, wordsOf, type Word } from '../words';

interface Options extends SecretNames {
  readonly environment: boolean;
}

/** One of several arguments. */
interface Item {
  /** If it is the same in every run. */
  readonly text: string | undefined;
  /** @param flag - The option before it. */
  readonly check: (flag: string | undefined) => void;
}

const patterns = { type: 'array', items: { type: 'string', format: 'regex' }, uniqueItems: true };

export const noPlainSecret = defineRule(
  'no-plain-secret',
  {
    type: 'problem',
    description: 'Require secrets that are given to programs to be wrapped in secret()',
    hasSuggestions: true,
    schema: [
      {
        type: 'object',
        properties: { names: patterns, ignore: patterns, environment: { type: 'boolean' } },
        additionalProperties: false,
      },
    ],
    messages: {
      plain: "'{{name}}' looks like a secret, and is shown in logs, errors and recordings. Wrap it in secret().",
      wrap: 'Wrap it in secret().',
      pair: 'Use addArgPair() with secret().',
    },
  },
  (context) => {
    const options = optionsOf<Options>(context, { ...secretNames, environment: true });
    const { isSecret, isAbout } = makeSecretTest(options);
    const { sourceCode } = context;

    const report = (node: Node, name: string): void => {
      const pair = asPair(node, context);
      const suggest = wrap(node, context);
      const all = [...(pair === undefined ? [] : [pair]), ...(suggest === undefined ? [] : [suggest])];
      context.report({ node, messageId: 'plain', data: { name }, suggest: all.slice(0, 1) });
    };
    const isMasked = (node: Node): boolean => isMaskedValue(node, context);

    /** A value, and the option or variable that it is given to, if there is one. */
    const check = (node: Node, givenTo?: string): void => {
      if (isMasked(node)) return;
      if (givenTo !== undefined && isSecret(givenTo)) {
        report(node, givenTo);
        return;
      }
      const flag = leadingFlag(node, context);
      if (flag !== undefined && isSecret(flag)) {
        report(node, flag);
        return;
      }
      // --password-file with a variable `password` is given a path.
      if ([givenTo, flag].some((name) => name !== undefined && isAbout(name))) return;
      const name = namesOf(node).find(isSecret);
      if (name !== undefined) report(node, name);
    };

    const checkItems = (items: readonly Item[]): void => {
      let flag: string | undefined;
      for (const { text, check: checkItem } of items) {
        const isFlag = text !== undefined && /^--?[a-z][\w-]*$/i.test(text);
        if (!isFlag) checkItem(flag);
        flag = isFlag && !text.startsWith('--no-') ? text : undefined;
      }
    };
    const item = (node: Node | null): Item => {
      if (node === null || node.type === 'SpreadElement') return { text: undefined, check: () => undefined };
      return { text: constantText(node, sourceCode), check: (flag) => check(node, flag) };
    };
    const checkList = (nodes: readonly (Node | null)[]): void => checkItems(nodes.map(item));
    const checkArray = (node: Node | undefined): void => {
      const value = node && followed(node, sourceCode);
      if (value?.type === 'ArrayExpression') checkList(value.elements);
    };
    /** A word with text of the template in it: a name may stand before a value. */
    const checkWord = (word: Word, template: Node, flag: string | undefined): void => {
      const values = word.filter((part) => typeof part !== 'string');
      const givenTo = nameBefore(textBefore(word), values.length === 0) ?? flag;
      for (const value of values) check(value, givenTo);
      if (values.length > 0 || word.length === 0) return;
      if (givenTo !== undefined && isSecret(givenTo)) report(template, givenTo);
    };
    const checkTemplate = (template: TSESTree.TemplateLiteral): void => {
      const items = wordsOf(template).flatMap((word): Item[] => {
        const value = valueOf(word);
        if (value === undefined) {
          return [{ text: textOf(word, sourceCode), check: (flag) => checkWord(word, template, flag) }];
        }
        const list = followed(value, sourceCode);
        return list.type === 'ArrayExpression' ? list.elements.map(item) : [item(value)];
      });
      checkItems(items.slice(1));
    };
    const checkFormat = ([format, ...values]: readonly Node[]): void => {
      const text = format === undefined ? undefined : constantText(format, sourceCode);
      const flag = text === undefined ? undefined : /^([^\s=%]+)=/.exec(text)?.[1];
      for (const value of values) if (value.type !== 'SpreadElement') check(value, flag);
    };
    const checkPair = ([name, value]: readonly Node[]): void => {
      if (name !== undefined && value !== undefined) check(value, constantText(name, sourceCode));
    };
    const environment = (checkIt: (nodes: readonly Node[]) => void) => (nodes: readonly Node[]) => {
      if (options.environment) checkIt(nodes);
    };
    /** By method of Command. */
    const checks: Readonly<Record<string, (nodes: readonly Node[]) => void>> = {
      addArgs: ([list]) => checkArray(list),
      addArgPair: checkPair,
      addArgFormat: checkFormat,
      addEnvPair: environment(checkPair),
      addEnvString: environment((nodes) => checkList(nodes.slice(0, 1))),
      addEnvFormat: environment(checkFormat),
    };
    /** Calls of addArg and addArgList after each other are one list. */
    const lists = new Set(['addArg', 'addArgList']);

    const checkEnv = (given: Node | undefined): void => {
      if (given?.type !== 'ObjectExpression' || !options.environment) return;
      const env = propertyOf(given, 'env');
      if (env?.type !== 'ObjectExpression') return;
      for (const property of env.properties) {
        if (property.type !== 'Property' || property.computed) continue;
        const { key } = property;
        if (key.type === 'Identifier') check(property.value, key.name);
        else check(property.value, String(key.value));
      }
    };

    return {
      NewExpression(node) {
        if (!isNewCommand(node, context)) return;
        checkArray(node.arguments[1]);
        checkEnv(node.arguments[2]);
        let list: Node[] = [];
        for (const call of callsOn(node, sourceCode)) {
          const name = memberName(call.callee) ?? '';
          if (lists.has(name)) {
            list.push(...(name === 'addArg' ? call.arguments.slice(0, 1) : call.arguments));
            continue;
          }
          checkList(list);
          list = [];
          if (Object.hasOwn(checks, name)) checks[name]?.(call.arguments);
        }
        checkList(list);
      },
      CallExpression(node) {
        if (isTemplate(node.callee, context)) checkEnv(node.arguments[0]);
        else if (scriptCall(node, context) !== undefined) {
          checkArray(node.arguments[1]);
          for (const options of node.arguments.slice(1)) checkEnv(options);
        }
      },
      TaggedTemplateExpression(node) {
        if (scriptCall(node, context) !== undefined) checkTemplate(node.quasi);
      },
    };
  },
);

function propertyOf(object: TSESTree.ObjectExpression, name: string): Node | undefined {
  for (const property of object.properties) {
    if (property.type !== 'Property' || property.computed) continue;
    if (property.key.type === 'Identifier' && property.key.name === name) return property.value;
  }
  return undefined;
}

/** A value that hides nothing: a variable that is taken away, or an empty one. */
function isNothing(node: Node, { sourceCode }: Context): boolean {
  const value = unwrap(node);
  if (value.type === 'Identifier' && value.name === 'undefined') return true;
  return constantText(value, sourceCode) === '';
}

/** Whether a value is nothing, or wrapped in secret() already, here or where its constant is declared, or by its type. */
function isMaskedValue(node: Node, context: Context): boolean {
  const value = unwrap(node);
  if (isNothing(value, context)) return true;
  if (value.type === 'CallExpression') return isOurs(value.callee, 'secret', context);
  if (value.type === 'ConditionalExpression') {
    return isMaskedValue(value.consequent, context) && isMaskedValue(value.alternate, context);
  }
  const { parserServices } = context.sourceCode;
  if (parserServices.program && parserServices.getTypeAtLocation?.(value).symbol?.name === 'Secret') return true;
  const variable = variableOf(value, context.sourceCode);
  if (variable === undefined) return false;
  const declared = variable.defs[0]?.name;
  const annotation = declared?.type === 'Identifier' ? declared.typeAnnotation?.typeAnnotation : undefined;
  if (annotation?.type === 'TSTypeReference' && isOurs(annotation.typeName, 'Secret', context)) return true;
  const constant = constantValue(variable);
  return constant !== undefined && constant !== value && isMaskedValue(constant, context);
}

/** The name before `=` in `--password=…`, `API_TOKEN=…`. */
function leadingFlag(node: Node, { sourceCode }: Context): string | undefined {
  const value = unwrap(node);
  let text = constantText(value, sourceCode);
  if (value.type === 'TemplateLiteral') text ??= value.quasis[0]?.value.cooked ?? undefined;
  if (value.type === 'BinaryExpression') {
    text ??= constantText(value.left, sourceCode);
  }
  return text === undefined ? undefined : nameBefore(text, constantText(value, sourceCode) !== undefined);
}

/** @param isAll - Nothing follows the text; without a value, it is none. */
function nameBefore(text: string, isAll: boolean): string | undefined {
  const found = /^(--?[a-z][\w-]*|[A-Z_][A-Z\d_]*)=(.*)/is.exec(text);
  return found?.[2] === '' && isAll ? undefined : found?.[1];
}

/** `.addArg(`--password=${x}`)` is `.addArgPair('--password', secret(x))`, which shows the name. */
function asPair(node: Node, context: Context): Suggestion | undefined {
  const { parent } = node;
  if (node.type !== 'TemplateLiteral' || parent?.type !== 'CallExpression') return undefined;
  const { callee } = parent;
  if (callee.type !== 'MemberExpression' || callee.computed || memberName(callee) !== 'addArg') return undefined;
  const [before, after] = node.quasis.map(({ value }) => value.raw);
  const [expression] = node.expressions;
  const name = /^([\w-]+)=$/.exec(before ?? '')?.[1];
  const wrapper = secretIn(node, context);
  if (name === undefined || after !== '' || expression === undefined || wrapper === undefined) return undefined;
  const value = context.sourceCode.getText(expression);
  return {
    messageId: 'pair',
    fix: (fixer) => [
      ...wrapper.imports(fixer),
      fixer.replaceText(callee.property, 'addArgPair'),
      fixer.replaceText(node, `'${name}', ${wrapper.name}(${value})`),
    ],
  };
}

function wrap(node: Node, context: Context): Suggestion | undefined {
  // Text of a template of $: it is no expression.
  if (node.parent?.type === 'TaggedTemplateExpression') return undefined;
  const wrapper = secretIn(node, context);
  if (wrapper === undefined) return undefined;
  const { parent } = node;
  const isShorthand = parent?.type === 'Property' && parent.shorthand;
  const key = isShorthand ? `${context.sourceCode.getText(parent.key)}: ` : '';
  return {
    messageId: 'wrap',
    fix: (fixer) => [
      ...wrapper.imports(fixer),
      fixer.insertTextBefore(node, `${key}${wrapper.name}(`),
      fixer.insertTextAfter(node, ')'),
    ],
  };
}

interface Wrapper {
  readonly name: string;
  readonly imports: (fixer: Parameters<Suggestion['fix']>[0]) => object[];
}

/** What secret() is called in a file, or how it is added to what the file imports of ours. */
function secretIn(node: Node, context: Context): Wrapper | undefined {
  let scope: ReturnType<Context['sourceCode']['getScope']> | null = context.sourceCode.getScope(node);
  let place: TSESTree.ImportSpecifier | TSESTree.Property | undefined;
  let taken = false;
  for (; scope !== null; scope = scope.upper) {
    for (const variable of scope.set.values()) {
      const [definition] = variable.defs;
      if (definition === undefined) continue;
      if (isOurs(definition.name, 'secret', context)) return { name: variable.name, imports: () => [] };
      taken ||= variable.name === 'secret';
      if (isOurs(definition.name, 'Command', context)) place ??= importPlace(definition.node, definition.name, context);
    }
  }
  if (taken || place === undefined) return undefined;
  const at = place;
  return { name: 'secret', imports: (fixer) => [fixer.insertTextAfter(at, ', secret')] };
}

/** The specifier of Command, where `, secret` can be added. */
function importPlace(
  node: Node,
  name: Node,
  context: Context,
): TSESTree.ImportSpecifier | TSESTree.Property | undefined {
  if (node.type === 'ImportSpecifier') {
    const { parent } = node;
    if (parent.type !== 'ImportDeclaration' || parent.importKind === 'type') return undefined;
    return isOurModule(parent.source.value, context) ? node : undefined;
  }
  return name.parent?.type === 'Property' && name.parent.parent.type === 'ObjectPattern' ? name.parent : undefined;
}
