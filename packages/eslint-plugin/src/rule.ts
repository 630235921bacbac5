/** What a rule sees of ESLint: its context and scopes over the nodes of typescript-eslint, which espree's are a part of. */
import type { TSESTree } from '@typescript-eslint/types';
import type { Rule } from 'eslint';

export type Node = TSESTree.Node;
export type { TSESTree };

/** Where a name gets its value: an import, a declaration, a parameter. */
export interface Definition {
  readonly type: string;
  readonly node: Node;
  readonly parent?: Node | null;
  readonly name: Node;
}

export interface Reference {
  readonly identifier: TSESTree.Identifier;
  readonly init?: boolean;
  /** Only with the TypeScript parser: the name is used as a type. */
  readonly isTypeReference?: boolean;
  isRead(): boolean;
  isWrite(): boolean;
}

export interface Variable {
  readonly name: string;
  readonly defs: readonly Definition[];
  readonly references: readonly Reference[];
}

export interface Scope {
  readonly set: ReadonlyMap<string, Variable>;
  readonly upper: Scope | null;
}

/** A type, as far as the rules look at it. */
interface Type {
  readonly symbol?: { readonly name: string } | undefined;
  getProperty(name: string): object | undefined;
}

export interface Source {
  readonly parserServices: {
    /** Only with the TypeScript parser and type information. */
    readonly program?: object | null;
    readonly getTypeAtLocation?: (node: Node) => Type;
  };
  getScope(node: Node): Scope;
  getText(node: Node): string;
  getDeclaredVariables(node: Node): readonly Variable[];
}

export interface Fixer {
  insertTextBefore(node: Node, text: string): object;
  insertTextAfter(node: Node, text: string): object;
  replaceText(node: Node, text: string): object;
  replaceTextRange(range: readonly [number, number], text: string): object;
  remove(node: Node): object;
}

export type Fix = (fixer: Fixer) => object | object[];

export interface Suggestion {
  readonly messageId: string;
  readonly data?: Record<string, string>;
  readonly fix: Fix;
}

interface Report {
  readonly node: Node;
  readonly messageId: string;
  readonly data?: Record<string, string>;
  readonly fix?: Fix | null;
  readonly suggest?: readonly Suggestion[];
}

export interface Context {
  readonly options: readonly unknown[];
  readonly settings: Record<string, unknown>;
  readonly cwd: string;
  readonly filename: string;
  readonly sourceCode: Source;
  readonly languageOptions: { readonly ecmaVersion?: number; readonly sourceType?: string };
  report(report: Report): void;
}

/** By type of node. */
export type Listener = { readonly [Type in Node['type']]?: (node: Extract<Node, { type: Type }>) => void } & {
  readonly 'Program:exit'?: () => void;
};

interface Definitions {
  readonly type: 'problem' | 'suggestion';
  readonly description: string;
  readonly fixable?: 'code';
  readonly hasSuggestions?: boolean;
  readonly schema: object[];
  readonly messages: Record<string, string>;
}

const pages = 'https://github.com/vircommand/vircommand/blob/main/packages/eslint-plugin/docs/rules';

/** A rule as ESLint takes it; its page is the one of its name. */
export function defineRule(name: string, about: Definitions, create: (context: Context) => Listener): Rule.RuleModule {
  const { description, ...meta } = about;
  return {
    meta: { ...meta, docs: { description, url: `${pages}/${name}.md` } } as Rule.RuleMetaData,
    // ESLint's own types know the nodes of JavaScript only.
    create: create as unknown as Rule.RuleModule['create'],
  };
}

/** The first option over its defaults. */
export function optionsOf<Options extends object>(context: Context, defaults: Options): Options {
  return { ...defaults, ...(context.options[0] as Partial<Options> | undefined) };
}

/** What is around the value of an expression that does not change it. */
export function unwrap(node: Node): Node {
  switch (node.type) {
    case 'ChainExpression':
    case 'TSAsExpression':
    case 'TSNonNullExpression':
    case 'TSSatisfiesExpression':
    case 'TSTypeAssertion':
      return unwrap(node.expression);
    default:
      return node;
  }
}

/** The opposite of {@link unwrap}: the outermost node with the same value. */
export function wrapped(node: Node): Node {
  const { parent } = node;
  return parent !== undefined && unwrap(parent) === unwrap(node) && parent !== node ? wrapped(parent) : node;
}
