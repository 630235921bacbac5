/** From the name of a module to the subject in it. */
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Backend } from '@vircommand/core/backend';
import type { ConformanceSubject } from '../types';
import { CannotRun } from './arguments';

const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === true;

/** A file, or a package that the working directory can use. */
function locate(name: string, cwd: string): string {
  const file = path.resolve(cwd, name);
  if (isFile(file)) return file;
  try {
    return createRequire(path.join(cwd, 'noop.js')).resolve(name);
  } catch {
    const hint = isFile(`${file}.js`) ? `; did you mean ${name}.js?` : '';
    throw new CannotRun(`there is no file '${file}' and no package '${name}'${hint}`);
  }
}

type Named = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Named => typeof value === 'object' && value !== null;

const isBackend = (value: unknown): value is Backend =>
  isObject(value) && 'contract' in value && Array.isArray(value.features) && typeof value.start === 'function';

const isSubject = (value: unknown): value is ConformanceSubject =>
  isObject(value) && typeof value.create === 'function';

/** The module's own names, and those of what CommonJS and compiled modules wrap in `default`, once or twice. */
function candidates(module: Named): unknown[] {
  const levels: Named[] = [module];
  for (let inner = module.default; isObject(inner) && levels.length < 3; inner = inner.default) levels.push(inner);
  const named = ['subject', 'createBackend', 'backend'].flatMap((name) => levels.map((level) => level[name]));
  return [...named, ...levels.map((level) => level.default), ...levels.slice(1)];
}

async function subjectFrom(value: unknown): Promise<ConformanceSubject | undefined> {
  if (isSubject(value)) return value;
  if (isBackend(value)) return { name: value.name, create: () => value };
  if (typeof value !== 'function') return undefined;
  const create = value as () => unknown;
  let first: unknown;
  try {
    first = await create();
  } catch (error) {
    throw new CannotRun(`its function that makes a backend failed: ${describe(error)}`);
  }
  if (!isBackend(first)) throw new CannotRun('its function makes no backend (contract, name, features, start)');
  const { name } = first;
  await first.dispose?.();
  return { name, create: async () => (await create()) as Backend };
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

async function importModule(file: string): Promise<Named> {
  try {
    return (await import(pathToFileURL(file).href)) as Named;
  } catch (error) {
    throw new CannotRun(`it could not be loaded: ${describe(error)}`);
  }
}

/** @throws CannotRun */
export async function loadSubject(name: string, cwd: string): Promise<ConformanceSubject> {
  const file = locate(name, cwd);
  try {
    const module = await importModule(file);
    for (const candidate of candidates(module)) {
      const subject = await subjectFrom(candidate);
      if (subject !== undefined) return subject;
    }
    const names = Object.keys(module).join(', ');
    throw new CannotRun(
      "it exports no backend. Export 'backend' (a backend), 'createBackend' (a function that makes one) or 'subject' " +
        `({ name, create }), or one of them as default. It exports ${names === '' ? 'nothing' : names}`,
    );
  } catch (error) {
    if (error instanceof CannotRun) throw new CannotRun(`${file}: ${error.message}`);
    throw error;
  }
}
