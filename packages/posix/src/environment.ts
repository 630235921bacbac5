/**
 * What "the parent's environment" is. On the main thread it is libc's own array, whose bytes need not be UTF-8; a worker
 * thread has a copy of its own, and so has code whose `process.env` somebody replaced (jest, tests that assign to it): what
 * the caller sees there is what the program gets.
 */
import { planBytes } from '@vircommand/core/backend';
import type { Entries } from './arena';
import type { Libc } from './libc';
import type { EnvironmentCopy } from './inherited';
import { cString } from './struct';

/** Finds out where the inherited environment is, start by start. */
export class Environment {
  private readonly environ: Uint32Array | undefined;
  private checked: NodeJS.ProcessEnv | undefined;
  private native = false;

  constructor(private readonly libc: Libc) {
    const address = libc.isMainThread ? libc.driver.symbol('environ') : undefined;
    if (address === undefined) return;
    const pointer = libc.driver.view(address, 8);
    this.environ = new Uint32Array(pointer.buffer, pointer.byteOffset, 2);
  }

  /** The address of libc's array, or the entries where that array is not what the caller sees. */
  inherited(): number | Entries {
    const { env } = process;
    if (this.environ === undefined) return entriesOf(env);
    if (env !== this.checked) {
      this.native = this.isNative(env);
      this.checked = env;
    }
    // Setting a variable may move the array, so the pointer is read each time.
    const [low = 0, high = 0] = this.environ;
    return this.native ? low + high * 2 ** 32 : entriesOf(env);
  }

  /** What a plan asks for, as strings: `NAME=value`. */
  strings(asked: Entries | EnvironmentCopy | 'inherit'): readonly Buffer[] {
    const env = asked === 'inherit' ? this.inherited() : asked;
    if (typeof env === 'number') return this.copy(env);
    if ('strings' in env) return env.strings;
    return env.map(([name, value]) => Buffer.concat([Buffer.from(`${name}=`), planBytes(value)]));
  }

  /** What libc's array points to. */
  private copy(array: number): readonly Buffer[] {
    const { libc } = this;
    const strings: Buffer[] = [];
    const pointer = Buffer.alloc(8);
    // Not by views: with ffi-napi the garbage is collected for each of them.
    for (let at = array; ; at += 8) {
      libc.memcpy(pointer, at, 8);
      const address = Number(pointer.readBigUInt64LE());
      if (address === 0) return strings;
      const string = Buffer.allocUnsafeSlow(libc.strlen(address));
      libc.memcpy(string, address, string.length);
      strings.push(string);
    }
  }

  /** Only a real change shows whether an object is libc's environment. */
  private isNative(env: NodeJS.ProcessEnv): boolean {
    const name = `VIRCOMMAND_PROBE_${process.pid}`;
    try {
      env[name] = '1';
      return this.libc.getenv(cString(name)) !== 0;
    } catch {
      return false; // A frozen copy.
    } finally {
      Reflect.deleteProperty(env, name);
    }
  }
}

/** What a start needs: where the environment is, or what it is made of. */
export const addressOr = (env: EnvironmentCopy | Entries): number | Entries => ('address' in env ? env.address : env);

/** As Node does it: own and inherited enumerable properties, `undefined` left out. */
function entriesOf(env: Readonly<NodeJS.Dict<string | number | boolean>>): Entries {
  const entries: [string, string][] = [];
  for (const name in env) {
    const value = env[name];
    if (value !== undefined && !name.includes('\0')) entries.push([name, String(value).replaceAll('\0', '')]);
  }
  return entries;
}
