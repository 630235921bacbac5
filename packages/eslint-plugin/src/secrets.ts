/** Which names are names of secrets: of variables, of options, of environment variables. */
import { memberName } from './names';
import { unwrap, type Node } from './rule';

/** Patterns over names in the form `db-password`, whichever way they are written. */
export interface SecretNames {
  readonly names: readonly string[];
  readonly ignore: readonly string[];
}

export const secretNames: SecretNames = {
  names: [
    '\\bpass(word|wd|phrase|code)?\\b',
    '\\bpwd\\b',
    '\\bsecrets?\\b',
    '\\b(access-|auth-|bearer-|refresh-|api-|id-)?tokens?\\b',
    '\\bapi-?keys?\\b',
    '\\b(private|secret|access|encryption|signing)-key\\b',
    '\\bcredentials?\\b',
    '\\boauth2-bearer\\b',
  ],
  // Where a secret is, how it is called and what it is like, and not what it is.
  ignore: [
    '-(file|path|dir|fd|stdin|name|id|type|count|length|limit|url|ttl|expiry|policy|source|store|helper)$',
    '-(arn|bucket|format|manager|max|min|prefix|provider|ref|size|version)$',
    '^(max|min|num)-',
  ],
};

/** `dbPassword`, `DB_PASSWORD` and `--db-password` are `db-password`. */
function normal(name: string): string {
  return name
    .replace(/^[-/]+/, '')
    .replace(/([a-z\d])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .replace(/[_.\s-]+/g, '-')
    .toLowerCase();
}

interface SecretTest {
  /** Whether a name is the name of a secret. */
  readonly isSecret: (name: string) => boolean;
  /** Whether a name says that its value is something about a secret, such as its file. */
  readonly isAbout: (name: string) => boolean;
}

export function makeSecretTest({ names, ignore }: SecretNames): SecretTest {
  const wanted = names.map((pattern) => new RegExp(pattern, 'i'));
  const unwanted = ignore.map((pattern) => new RegExp(pattern, 'i'));
  const isAbout = (name: string): boolean => unwanted.some((pattern) => pattern.test(normal(name)));
  return {
    isAbout,
    isSecret: (name) => !isAbout(name) && wanted.some((pattern) => pattern.test(normal(name))),
  };
}

/** The names that the value of an expression goes by: of the variable, the member, the function that gives it. */
export function namesOf(node: Node): string[] {
  const value = unwrap(node);
  switch (value.type) {
    case 'Identifier':
      return [value.name];
    case 'MemberExpression':
      return [memberName(value) ?? ''];
    case 'AwaitExpression':
      return namesOf(value.argument);
    case 'CallExpression':
      // text.trim() is still the text; getToken() is named by what it gives.
      return value.callee.type === 'MemberExpression' && sameText.has(memberName(value.callee) ?? '')
        ? namesOf(value.callee.object)
        : namesOf(value.callee);
    case 'TemplateLiteral':
      return value.expressions.flatMap(namesOf);
    case 'BinaryExpression':
      return value.operator === '+' ? [...namesOf(value.left), ...namesOf(value.right)] : [];
    case 'LogicalExpression':
      return [...namesOf(value.left), ...namesOf(value.right)];
    case 'ConditionalExpression':
      return [...namesOf(value.consequent), ...namesOf(value.alternate)];
    default:
      return [];
  }
}

const sameText = new Set(['trim', 'trimEnd', 'trimStart', 'toString', 'concat', 'normalize', 'slice', 'valueOf']);
