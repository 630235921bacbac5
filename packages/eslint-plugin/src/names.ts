/** What a name stands for: followed to its declaration, its import, its constant value. Never by a guess. */
import { unwrap, type Node, type Source, type TSESTree, type Variable } from './rule';

/** The variable of a name, or `undefined` for a global that no file declares. */
export function variableOf(name: Node, source: Source): Variable | undefined {
  if (name.type !== 'Identifier') return undefined;
  let scope: ReturnType<Source['getScope']> | null = source.getScope(name);
  for (; scope !== null; scope = scope.upper) {
    const variable = scope.set.get(name.name);
    if (variable !== undefined) return variable.defs.length > 0 ? variable : undefined;
  }
  return undefined;
}

/** The value of a variable that has the same one all its life. */
export function constantValue(variable: Variable): Node | undefined {
  const [definition, second] = variable.defs;
  if (definition?.type !== 'Variable' || second !== undefined) return undefined;
  const { node } = definition;
  if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier' || node.init === null) return undefined;
  if (variable.references.some((reference) => reference.isWrite() && reference.init !== true)) return undefined;
  return unwrap(node.init);
}

/** What a name stands for, if that is the same all its life; any other expression as it is. */
export function followed(node: Node, source: Source, depth = 0): Node {
  const value = unwrap(node);
  const variable = variableOf(value, source);
  const constant = variable === undefined || depth > 20 ? undefined : constantValue(variable);
  return constant === undefined ? value : followed(constant, source, depth + 1);
}

/** The text of an expression that is the same in every run; `undefined` if it is not. */
export function constantText(node: Node, source: Source, depth = 0): string | undefined {
  // A name can be declared by itself: const a = a.
  if (depth > 20) return undefined;
  const value = unwrap(node);
  const inner = (part: Node): string | undefined => constantText(part, source, depth + 1);
  switch (value.type) {
    case 'Literal':
      return typeof value.value === 'string' || typeof value.value === 'number' ? String(value.value) : undefined;
    case 'TemplateLiteral':
      return joined(value.quasis.flatMap(({ value: { cooked } }, i) => [cooked, textAt(value.expressions[i], inner)]));
    case 'BinaryExpression':
      return value.operator === '+' ? joined([inner(value.left), inner(value.right)]) : undefined;
    case 'TaggedTemplateExpression':
      return value.quasi.expressions.length === 0 && memberName(value.tag) === 'raw'
        ? value.quasi.quasis[0]?.value.raw
        : undefined;
    case 'Identifier': {
      const variable = variableOf(value, source);
      const constant = variable === undefined ? undefined : constantValue(variable);
      return constant === undefined ? undefined : inner(constant);
    }
    default:
      return undefined;
  }
}

function textAt(node: Node | undefined, read: (node: Node) => string | undefined): string | undefined {
  return node === undefined ? '' : read(node);
}

function joined(parts: readonly (string | null | undefined)[]): string | undefined {
  return parts.some((part) => part === undefined || part === null) ? undefined : parts.join('');
}

/** The name of a member (`a.name`, `a['name']`), or of a symbol (`a[Symbol.dispose]` is `Symbol.dispose`). */
export function memberName(node: Node): string | undefined {
  if (node.type !== 'MemberExpression') return undefined;
  const { property } = node;
  if (!node.computed) return property.type === 'Identifier' ? property.name : undefined;
  if (property.type === 'Literal' && typeof property.value === 'string') return property.value;
  if (property.type !== 'MemberExpression' || property.object.type !== 'Identifier') return undefined;
  return property.object.name === 'Symbol' ? `Symbol.${memberName(property) ?? ''}` : undefined;
}

/** A name as its module exports it; `*` for the whole module. */
export interface Imported {
  readonly module: string;
  readonly name: string;
}

const isRequire = ({ callee }: TSESTree.CallExpression): boolean =>
  callee.type === 'Identifier' && callee.name === 'require';

/** Where an expression comes from, if it is an import, a `require()` or a member or another name of one. */
export function importOf(node: Node, source: Source, depth = 0): Imported | undefined {
  if (depth > 20) return undefined;
  const value = unwrap(node);
  if (value.type === 'CallExpression') {
    if (!isRequire(value)) return madeBy(importOf(value.callee, source, depth + 1));
    const module = value.arguments[0] === undefined ? undefined : constantText(value.arguments[0], source);
    return module === undefined ? undefined : { module, name: '*' };
  }
  if (value.type === 'AwaitExpression' && value.argument.type === 'ImportExpression') {
    const module = constantText(value.argument.source, source);
    return module === undefined ? undefined : { module, name: '*' };
  }
  if (value.type === 'MemberExpression') {
    const name = memberName(value);
    return name === undefined ? undefined : exported(importOf(value.object, source, depth + 1), name);
  }
  const variable = variableOf(value, source);
  const definition = variable?.defs[0];
  if (variable === undefined || definition === undefined) return undefined;
  if (definition.type === 'ImportBinding') return importBinding(definition.node, definition.parent ?? undefined);
  const constant = constantValue(variable);
  if (constant !== undefined) return importOf(constant, source, depth + 1);
  return definition.node.type === 'VariableDeclarator'
    ? destructured(definition.node, variable, source, depth)
    : undefined;
}

/** What `createScript()` makes has the names that a module of scripts exports. */
function madeBy(maker: Imported | undefined): Imported | undefined {
  return maker?.name === 'createScript' ? { module: maker.module, name: '*' } : undefined;
}

/** A member of a module; the default export of CommonJS is the module. */
function exported(from: Imported | undefined, name: string): Imported | undefined {
  if (from?.name !== '*') return undefined;
  return { module: from.module, name: name === 'default' ? '*' : name };
}

function importBinding(node: Node, parent: Node | undefined): Imported | undefined {
  if (node.type === 'TSImportEqualsDeclaration') {
    const { moduleReference } = node;
    if (moduleReference.type !== 'TSExternalModuleReference') return undefined;
    const { expression } = moduleReference;
    return { module: expression.value, name: '*' };
  }
  if (parent?.type !== 'ImportDeclaration') return undefined;
  const module = parent.source.value;
  if (node.type !== 'ImportSpecifier') return { module, name: '*' };
  const { imported } = node;
  const name = imported.type === 'Identifier' ? imported.name : imported.value;
  return { module, name: name === 'default' ? '*' : name };
}

function destructured(
  node: TSESTree.VariableDeclarator,
  variable: Variable,
  source: Source,
  depth: number,
): Imported | undefined {
  if (node.id.type !== 'ObjectPattern' || node.init === null) return undefined;
  for (const property of node.id.properties) {
    if (property.type !== 'Property' || property.value.type !== 'Identifier') continue;
    if (property.value.name !== variable.name || property.computed || property.key.type !== 'Identifier') continue;
    return exported(importOf(node.init, source, depth + 1), property.key.name);
  }
  return undefined;
}
