/** The last call: `execve`, with memory that was laid out before anything was limited. */
import type { Libc } from '../libc';

/** What `execve` reads: one block of strings, and the arrays of pointers to them. */
export class ExecImage {
  private readonly argv: Buffer;
  private readonly envp: Buffer;
  private readonly addresses: readonly [path: number, argv: number, envp: number];

  /**
   * @param strings the path, then argv, then the environment, each with a NUL
   */
  constructor(
    private readonly libc: Libc,
    /** Referenced as long as this is. */
    readonly strings: Buffer,
    argc: number,
    envc: number,
  ) {
    const addresses: number[] = [];
    const base = libc.driver.address(strings);
    for (let offset = 0; offset < strings.length; offset = strings.indexOf(0, offset) + 1)
      addresses.push(base + offset);
    if (addresses.length !== 1 + argc + envc) throw new Error('the order of the launcher is damaged');
    this.argv = pointers(addresses.slice(1, 1 + argc));
    this.envp = pointers(addresses.slice(1 + argc));
    this.addresses = [base, libc.driver.address(this.argv), libc.driver.address(this.envp)];
  }

  /** Returns only if it fails: the error number. The image must stay referenced, for its buffers' sake. */
  execute(): number {
    return -this.libc.execve(...this.addresses);
  }
}

/** A NULL-terminated array. */
function pointers(addresses: readonly number[]): Buffer {
  const array = Buffer.alloc(8 * (addresses.length + 1));
  addresses.forEach((address, index) => array.writeBigUInt64LE(BigInt(address), 8 * index));
  return array;
}
