/** The inherited environment for a start that is made later, or by another thread: libc's own array may change until then. */
import type { Entries } from './arena';
import { Environment } from './environment';
import type { Libc } from './libc';

/** Never changed. A start that uses it must keep it referenced until it is over. */
export class EnvironmentCopy {
  /** Of the array of pointers. */
  readonly address: number;
  private readonly memory: Buffer;

  /** @param strings `NAME=value`, without NUL */
  constructor(
    libc: Libc,
    readonly strings: readonly Buffer[],
  ) {
    const array = 8 * (strings.length + 1);
    this.memory = Buffer.alloc(strings.reduce((sum, { length }) => sum + length + 1, array));
    this.address = libc.driver.address(this.memory);
    let at = array;
    strings.forEach((string, index) => {
      this.memory.writeBigUInt64LE(BigInt(this.address + at), 8 * index);
      at += string.copy(this.memory, at) + 1;
    });
  }
}

export class InheritedEnvironment {
  private readonly environment: Environment;
  private array = 0;
  /** libc's pointers when they were copied, with the NULL. */
  private pointers = Buffer.alloc(0);
  private now = Buffer.alloc(0);
  private copy: EnvironmentCopy | undefined;

  constructor(private readonly libc: Libc) {
    this.environment = new Environment(libc);
  }

  /** The entries where libc's array is not what the caller sees. */
  get(): EnvironmentCopy | Entries {
    const env = this.environment.inherited();
    if (typeof env !== 'number') return env;
    if (this.copy === undefined || !this.isUnchanged(env)) this.take(env);
    return this.copy ?? [];
  }

  /** glibc frees no string of an environment, so a changed variable has another pointer; musl may use memory again. */
  private isUnchanged(array: number): boolean {
    if (!this.libc.glibc || array !== this.array) return false;
    this.libc.memcpy(this.now, array, this.now.length);
    return this.now.equals(this.pointers);
  }

  private take(array: number): void {
    const strings = this.environment.strings('inherit');
    this.array = array;
    this.pointers = Buffer.alloc(8 * (strings.length + 1));
    this.now = Buffer.alloc(this.pointers.length);
    if (array !== 0) this.libc.memcpy(this.pointers, array, this.pointers.length);
    this.copy = new EnvironmentCopy(this.libc, strings);
  }
}
