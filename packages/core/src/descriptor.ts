/** What a descriptor of this process is. */
import { fstatSync, type BigIntStats } from 'node:fs';

/**
 * In bigints, since numbers are kept in a place where Node 20 and 22 look when they resolve links: after those of a pipe or
 * socket, `require()` takes a package that is a link for another one than before, and loads it again.
 *
 * @throws Error of fstat(2)
 */
export const statDescriptor = (fd: number): BigIntStats => fstatSync(fd, { bigint: true });
