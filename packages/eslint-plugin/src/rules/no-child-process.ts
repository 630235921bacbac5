/** No way around the library: `node:child_process` in each form that reaches it. */
import { matchesFile } from '../glob';
import { constantText, constantValue, importOf, memberName, variableOf } from '../names';
import { defineRule, optionsOf, unwrap, type Context, type Fix, type Node, type TSESTree } from '../rule';

interface Options {
  readonly allow: readonly string[];
  readonly allowFiles: readonly string[];
  readonly allowTypeImports: boolean;
}

const isChildProcess = (text: string | undefined): boolean => text === 'child_process' || text === 'node:child_process';
/** What `node:child_process` itself is made of. */
const bindings = new Set(['spawn_sync', 'process_wrap']);

export const noChildProcess = defineRule(
  'no-child-process',
  {
    type: 'problem',
    description: 'Disallow direct use of node:child_process',
    fixable: 'code',
    schema: [
      {
        type: 'object',
        properties: {
          allow: { type: 'array', items: { type: 'string' }, uniqueItems: true },
          allowFiles: { type: 'array', items: { type: 'string' }, uniqueItems: true },
          allowTypeImports: { type: 'boolean' },
        },
        additionalProperties: false,
      },
    ],
    messages: {
      module: "Run programs with Command of 'vircommand' instead of '{{module}}'.",
      name: "Run programs with Command of 'vircommand' instead of '{{name}}' of '{{module}}'.",
      binding: "Run programs with Command of 'vircommand' instead of the internal binding '{{module}}'.",
    },
  },
  (context) => {
    const options = optionsOf<Options>(context, { allow: [], allowFiles: [], allowTypeImports: false });
    if (matchesFile(context.filename, context.cwd, options.allowFiles)) return {};
    const { sourceCode } = context;
    const text = (node: Node | undefined): string | undefined => node && constantText(node, sourceCode);

    const whole = (node: Node, module: string, fix: Fix | null = null): void => {
      context.report({ node, messageId: 'module', data: { module }, fix });
    };
    /** Each name that is not allowed. */
    const named = (names: readonly (readonly [Node, string])[], module: string, fix: Fix | null = null): void => {
      for (const [node, name] of names) {
        if (options.allow.includes(name)) continue;
        context.report({ node, messageId: 'name', data: { name, module }, fix });
      }
    };
    /** A call or an import that answers with the module: what is taken from it, if that can be seen. */
    const taken = (node: Node, module: string): void => {
      const names = namesTaken(node);
      if (names === undefined) whole(node, module);
      else named(names, module);
    };
    const isAllowedType = (kind: string | undefined): boolean => kind === 'type' && options.allowTypeImports;

    return {
      ImportDeclaration(node) {
        const module = node.source.value;
        if (!isChildProcess(module) || isAllowedType(node.importKind)) return;
        // The import of a built-in module for its effect has none.
        if (node.specifiers.length === 0) {
          whole(node, module, (fixer) => fixer.remove(node));
          return;
        }
        const fix = options.allowTypeImports && node.importKind !== 'type' ? typeImport(node, context) : null;
        for (const specifier of node.specifiers) {
          if (specifier.type !== 'ImportSpecifier') whole(specifier, module, fix);
          else if (!isAllowedType(specifier.importKind)) named([[specifier, nameOf(specifier.imported)]], module, fix);
        }
      },
      ExportNamedDeclaration(node) {
        if (!isChildProcess(node.source?.value) || isAllowedType(node.exportKind)) return;
        const specifiers = node.specifiers.filter(({ exportKind }) => !isAllowedType(exportKind));
        named(
          specifiers.map((specifier) => [specifier, nameOf(specifier.local)]),
          node.source?.value ?? '',
        );
      },
      ExportAllDeclaration(node) {
        if (isChildProcess(node.source.value) && !isAllowedType(node.exportKind)) whole(node, node.source.value);
      },
      TSImportEqualsDeclaration(node) {
        const { moduleReference: reference } = node;
        const module = reference.type === 'TSExternalModuleReference' ? text(reference.expression) : undefined;
        if (isChildProcess(module) && !isAllowedType(node.importKind)) whole(node, module ?? '');
      },
      TSImportType(node) {
        if (isChildProcess(node.source.value) && !options.allowTypeImports) whole(node, node.source.value);
      },
      ImportExpression(node) {
        const module = text(node.source);
        if (isChildProcess(module)) taken(node, module ?? '');
      },
      CallExpression(node) {
        const module = text(node.arguments[0]);
        if (module === undefined) return;
        if (isChildProcess(module) && isLoader(node.callee, context)) taken(node, module);
        else if (bindings.has(module) && isProcessMember(node.callee, 'binding', context)) {
          context.report({ node, messageId: 'binding', data: { module } });
        }
      },
    };
  },
);

function nameOf(name: TSESTree.Identifier | TSESTree.StringLiteral): string {
  return name.type === 'Identifier' ? name.name : name.value;
}

/** `import type …`, if nothing but types is imported; then it changes nothing at run time. */
function typeImport(node: TSESTree.ImportDeclaration, { sourceCode }: Context): Fix | null {
  const variables = sourceCode.getDeclaredVariables(node);
  // A default import and names together cannot be types in one declaration.
  if (node.specifiers.length > 1 && node.specifiers.some(({ type }) => type !== 'ImportSpecifier')) return null;
  if (node.specifiers.some((one) => one.type === 'ImportSpecifier' && one.importKind === 'type')) return null;
  const types = variables.every(
    ({ references }) => references.length > 0 && references.every(({ isTypeReference }) => isTypeReference === true),
  );
  const start = node.range[0];
  return types ? (fixer) => fixer.replaceTextRange([start, start + 'import'.length], 'import type') : null;
}

/** The members that are taken of a module where it is loaded; `undefined` if it is kept as a whole. */
function namesTaken(node: Node): (readonly [Node, string])[] | undefined {
  const value = node.parent?.type === 'AwaitExpression' ? node.parent : node;
  const { parent } = value;
  if (parent?.type === 'MemberExpression' && parent.object === value) {
    const name = memberName(parent);
    return name === undefined ? undefined : [[parent, name]];
  }
  if (parent?.type !== 'VariableDeclarator' || parent.id.type !== 'ObjectPattern') return undefined;
  const names: (readonly [Node, string])[] = [];
  for (const property of parent.id.properties) {
    if (property.type !== 'Property' || property.computed || property.key.type !== 'Identifier') return undefined;
    names.push([property, property.key.name]);
  }
  return names;
}

/** A function that loads a module by name. */
function isLoader(callee: Node, context: Context): boolean {
  const { sourceCode } = context;
  const value = unwrap(callee);
  if (isProcessMember(value, 'getBuiltinModule', context)) return true;
  if (isCreateRequire(value, context)) return true;
  if (value.type === 'MemberExpression')
    return memberName(value) === 'require' && isModuleObject(value.object, context);
  if (value.type !== 'Identifier') return false;
  const variable = variableOf(value, sourceCode);
  if (variable === undefined) return value.name === 'require';
  const constant = constantValue(variable);
  return constant !== undefined && constant !== value && isLoader(constant, context);
}

/** `createRequire(…)`, however it is imported. */
function isCreateRequire(node: Node, { sourceCode }: Context): boolean {
  if (node.type !== 'CallExpression') return false;
  const callee = unwrap(node.callee);
  // module of CommonJS has no createRequire, but code that does so means the module of that name.
  if (callee.type === 'MemberExpression' && memberName(callee) === 'createRequire') return true;
  const from = importOf(callee, sourceCode);
  return from?.name === 'createRequire' && /^(?:node:)?module$/.test(from.module);
}

/** `module` and `process.mainModule`, which have `require()`. */
function isModuleObject(node: Node, context: Context): boolean {
  const value = unwrap(node);
  if (value.type === 'Identifier') {
    return value.name === 'module' && variableOf(value, context.sourceCode) === undefined;
  }
  return isProcessMember(value, 'mainModule', context);
}

const globalObjects = new Set(['globalThis', 'global']);

/** `process.name`, also by way of the global object, an import of `node:process`, or a constant of its own. */
function isProcessMember(node: Node, name: string, context: Context, depth = 0): boolean {
  const { sourceCode } = context;
  const value = unwrap(node);
  const from = importOf(value, sourceCode);
  if (from !== undefined) return from.name === name && /^(?:node:)?process$/.test(from.module);
  if (value.type === 'MemberExpression') return memberName(value) === name && isProcess(value.object, context);
  const definition = variableOf(value, sourceCode)?.defs[0]?.node;
  if (definition?.type !== 'VariableDeclarator' || definition.init === null || depth > 20) return false;
  if (definition.id.type === 'Identifier') return isProcessMember(definition.init, name, context, depth + 1);
  if (definition.id.type !== 'ObjectPattern' || !isProcess(definition.init, context)) return false;
  return definition.id.properties.some(
    (property) =>
      property.type === 'Property' &&
      property.key.type === 'Identifier' &&
      property.key.name === name &&
      property.value.type === 'Identifier' &&
      value.type === 'Identifier' &&
      property.value.name === value.name,
  );
}

function isProcess(node: Node, { sourceCode }: Context): boolean {
  const value = unwrap(node);
  const from = importOf(value, sourceCode);
  if (from !== undefined) return from.name === '*' && /^(?:node:)?process$/.test(from.module);
  if (value.type === 'Identifier') return value.name === 'process' && variableOf(value, sourceCode) === undefined;
  if (memberName(value) !== 'process' || value.type !== 'MemberExpression') return false;
  return value.object.type === 'Identifier' && globalObjects.has(value.object.name);
}
