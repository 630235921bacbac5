/**
 * Tells of exits where no SIGCHLD arrives: in worker threads, in test runners that give tests a copy of `process`, after
 * somebody removed all listeners.
 *
 * The pidfds are in one epoll, and libuv polls that: a net.Socket is made on a pipe, and then the epoll takes the
 * descriptor's place. When a program exits, libuv's read fails, which is the message. Public interfaces only.
 */
import type { Socket } from 'node:net';
import { aboveStdio } from './above-stdio';
import type { Libc } from './libc';
import { LINUX } from './linux';
import { openPidfd } from './pidfd';
import { pipeSocket } from './pipe-socket';
import { EPOLL_DATA, SIZE } from './struct';
import { bindToThread, closeBound } from './thread-bound';

const most = 64;

export class PidfdSet {
  private readonly pidfds = new Map<number, number>();
  private epoll = -1;
  private socket: Socket | undefined;
  private readonly events = Buffer.alloc(most * SIZE.epollEvent);

  /** `exited` gets the pids that have exited. Those that stay in the set are told again. */
  constructor(
    private readonly libc: Libc,
    private readonly exited: (pids: readonly number[]) => void,
  ) {}

  /** Whether its exit will be told; otherwise the kernel has no pidfds, or there are no descriptors left. */
  add(pid: number): boolean {
    if (this.pidfds.has(pid)) return true;
    const { libc } = this;
    if (this.epoll < 0) {
      this.epoll = bindToThread(libc, aboveStdio(libc, libc.epoll_create1(LINUX.EPOLL_CLOEXEC)));
      if (this.epoll < 0) return false;
      process.once('exit', this.atExit);
    }
    const pidfd = openPidfd(libc, pid);
    const event = Buffer.alloc(SIZE.epollEvent);
    event.writeUInt32LE(LINUX.EPOLLIN, 0);
    event.writeInt32LE(pid, EPOLL_DATA);
    if (pidfd >= 0 && libc.epoll_ctl(this.epoll, LINUX.EPOLL_CTL_ADD, pidfd, event) >= 0) {
      this.pidfds.set(pid, pidfd);
      if (this.listen()) return true;
      this.remove(pid);
    } else if (pidfd >= 0) closeBound(libc, pidfd);
    if (this.pidfds.size === 0) this.close();
    return false;
  }

  remove(pid: number): void {
    const pidfd = this.pidfds.get(pid);
    if (pidfd === undefined) return;
    this.pidfds.delete(pid);
    // Closing takes it out of the epoll only if no program between fork and exec holds a copy.
    this.libc.epoll_ctl(this.epoll, LINUX.EPOLL_CTL_DEL, pidfd, this.events);
    closeBound(this.libc, pidfd);
  }

  /** Lets go of all; the set can be used again. */
  close(): void {
    for (const pid of this.pidfds.keys()) this.remove(pid);
    this.socket?.destroy();
    this.socket = undefined;
    if (this.epoll < 0) return;
    process.removeListener('exit', this.atExit);
    closeBound(this.libc, this.epoll);
    this.epoll = -1;
  }

  /** A worker thread that ends leaves the process its descriptors. */
  private readonly atExit = (): void => {
    this.close();
  };

  private listen(): boolean {
    if (this.socket !== undefined) return true;
    const { libc } = this;
    const pair = Buffer.alloc(8);
    if (libc.pipe2(pair, LINUX.O_CLOEXEC) < 0) return false;
    const fd = aboveStdio(libc, pair.readInt32LE(0));
    let socket: Socket;
    try {
      // Without `onread` each read would first take memory.
      socket = pipeSocket(fd, 'read', { buffer: Buffer.alloc(1), callback: () => true });
    } catch {
      libc.close(fd);
      return false;
    } finally {
      libc.close(pair.readInt32LE(4));
    }
    // Before libuv polls for the first time, which it does when the loop turns.
    if (libc.dup3(this.epoll, fd, LINUX.O_CLOEXEC) < 0) {
      socket.destroy();
      return false;
    }
    this.socket = socket;
    socket.on('error', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      this.tell();
    });
    socket.resume();
    return true;
  }

  private tell(): void {
    const { libc, events } = this;
    const count = libc.epoll_wait(this.epoll, events, most, 0);
    const pids = Array.from({ length: Math.max(count, 0) }, (_, index) =>
      events.readInt32LE(index * SIZE.epollEvent + EPOLL_DATA),
    );
    this.exited(pids);
    if (this.pidfds.size > 0) this.listen();
  }
}
