/** What the streams of a program lead to, opened in this process: how backends of this machine open it. */
import { closeSync, constants, openSync, statfsSync, statSync } from 'node:fs';
import type { PlanStream } from '../contract';
import { statDescriptor } from './descriptor';
import { startError } from '../start-failure';

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;

const flags = {
  read: O_RDONLY,
  write: O_WRONLY | O_CREAT | O_TRUNC,
  append: O_WRONLY | O_CREAT | O_APPEND,
} as const;

// Do not wait until another process opens the other end of a named pipe, and do not make a terminal our controlling one.
const always = process.platform === 'win32' ? 0 : O_NONBLOCK | O_NOCTTY;
/** A pipe that keeps apart what is written to it, which cannot be opened so. */
const packets = process.platform === 'linux' ? constants.O_DIRECT : 0;
/** Of the file system of pipes without a name. */
const pipefsMagic = 0x50495045;
/** The device of which each opening makes another terminal. */
const ptmx = 0x502n;

/** Of a pipe. An unnamed one, opened as `/dev/stdin` for instance, never waits for its other end. */
const hasName = (fd: number, path: string): boolean =>
  process.platform === 'linux' ? statfsSync(`/proc/self/fd/${fd}`).type !== pipefsMagic : !path.startsWith('/dev/');

/**
 * Opens a file for a stream, nonblocking and closed on exec, with Node's own `open`, which obeys the permission model. The
 * program must get it blocking. A named pipe is not opened for reading.
 *
 * @param permissions of a file that is made, less the umask of this process
 * @throws CommandStartError, stage `stdio`
 */
export function openStreamFile(
  { path, mode }: Pick<Extract<PlanStream, { type: 'file' }>, 'path' | 'mode'>,
  permissions = 0o666,
): number {
  let fd: number | undefined;
  try {
    fd = openSync(path, flags[mode] | always, permissions);
    if (mode !== 'read' || !statDescriptor(fd).isFIFO() || !hasName(fd, path)) return fd;
    throw withoutOtherEnd('may have no writer yet', path);
  } catch (thrown) {
    if (fd !== undefined) closeSync(fd);
    const error = thrown as NodeJS.ErrnoException;
    throw startError('stdio', hasNoReader(error, mode, path) ? withoutOtherEnd('has no reader', path) : error, path);
  }
}

const hasNoReader = ({ code }: NodeJS.ErrnoException, mode: string, path: string): boolean =>
  mode !== 'read' && code === 'ENXIO' && statSync(path, { throwIfNoEntry: false })?.isFIFO() === true;

function withoutOtherEnd(why: string, path: string): NodeJS.ErrnoException {
  const text = `ENXIO: a named pipe ${why}, and waiting for one would block; open it and give the descriptor, open '${path}'`;
  return Object.assign(new Error(text), { code: 'ENXIO', errno: -6, syscall: 'open', path });
}

/**
 * A descriptor of the caller, opened once more (Linux): nonblocking belongs to the open file, and a program needs one that
 * blocks, while the caller's own streams are nonblocking, or become so when they are first used. Still nonblocking, so that
 * opening waits for nobody, and closed on exec. `undefined`: it need not be, or cannot, as a socket or another user's pipe.
 * Nor a FIFO's read end: opened after its writers are gone, poll(2) never reports the hang-up.
 *
 * @param flags with which it is open
 */
export function openAgain(fd: number, flags: number): number | undefined {
  try {
    const stat = statDescriptor(fd);
    // Node opens a terminal again itself before it uses it. Opened again, other devices may be something else.
    const isUsedTerminal = (): boolean =>
      (flags & O_NONBLOCK) !== 0 &&
      stat.isCharacterDevice() &&
      stat.rdev !== ptmx &&
      process.getBuiltinModule('node:tty').isatty(fd);
    const path = `/proc/self/fd/${fd}`;
    const isPipe = (): boolean =>
      stat.isFIFO() && (flags & packets) === 0 && ((flags & (O_WRONLY | O_RDWR)) !== 0 || !hasName(fd, path));
    if (!isPipe() && !isUsedTerminal()) return undefined;
    return openSync(path, (flags & (O_WRONLY | O_RDWR | O_APPEND)) | always);
  } catch {
    return undefined;
  }
}
