/** A file that several starts need while they wait. */
import { aboveStdio } from './above-stdio';
import { openFile } from './descriptor-set';
import type { Libc } from './libc';
import { bindToThread, closeBound } from './thread-bound';

export class KeptDescriptor {
  /** Negative: the error of opening it. */
  readonly fd: number;
  private users = 0;

  constructor(
    private readonly libc: Libc,
    path: Uint8Array,
    flags: number,
  ) {
    this.fd = bindToThread(libc, aboveStdio(libc, openFile(libc, path, flags)));
  }

  /** It is open, since a user needs it. */
  get held(): boolean {
    return this.users > 0;
  }

  hold(): this {
    this.users++;
    return this;
  }

  /** Closes it when its last user gives it back. */
  release(): void {
    if (--this.users === 0 && this.fd >= 0) closeBound(this.libc, this.fd);
  }
}
