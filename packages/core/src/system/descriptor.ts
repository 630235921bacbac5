/** What a descriptor of this process is. */
import { fstatSync, type BigIntStats } from 'node:fs';

/**
 * Bigints: Node 20 and 22 keep the last numeric stat in a buffer that `require()` also uses to resolve links, and would load a
 * linked package twice.
 *
 * @throws Error of fstat(2)
 */
export const statDescriptor = (fd: number): BigIntStats => fstatSync(fd, { bigint: true });
