/**
 * The functions of libc that this package calls: one table of names, results and parameters, bound when first called.
 *
 * A function whose result is `errno` returns the negative errno when it fails (-2 for ENOENT): errno is read as the very
 * next thing after the call, before anything can allocate. A function whose result is `int` returns what libc returns;
 * the `posix_spawn` family returns its error itself, positive.
 */
import { loadDriver, type Driver, type DriverName } from './ffi';
import type { NativeFunction, Parameter } from './ffi/driver';
import { LINUX } from './linux';

type Signature = readonly [result: 'errno' | 'int' | 'address', ...parameters: Parameter[]];

const table = {
  // Descriptors
  pipe2: ['errno', 'buffer', 'int'],
  read: ['errno', 'int', 'buffer', 'long'],
  pread: ['errno', 'int', 'buffer', 'long', 'long'],
  write: ['errno', 'int', 'buffer', 'long'],
  close: ['errno', 'int'],
  dup2: ['errno', 'int', 'int'],
  dup3: ['errno', 'int', 'int', 'int'],
  /** The last argument is a number, or the address of a structure. */
  fcntl: ['errno', 'int', 'int', 'long'],
  /** Directory, path, flags, mode. */
  openat: ['errno', 'int', 'buffer', 'int', 'long'],
  poll: ['errno', 'buffer', 'long', 'int'],
  epoll_create1: ['errno', 'int'],
  epoll_ctl: ['errno', 'int', 'int', 'int', 'buffer'],
  epoll_wait: ['errno', 'int', 'buffer', 'int', 'int'],
  memfd_create: ['errno', 'buffer', 'int'],
  madvise: ['errno', 'address', 'long', 'int'],
  // Processes
  wait4: ['errno', 'int', 'buffer', 'int', 'buffer'],
  waitid: ['errno', 'int', 'int', 'buffer', 'int'],
  kill: ['errno', 'int', 'int'],
  getpgid: ['errno', 'int'],
  getsid: ['errno', 'int'],
  getppid: ['int'],
  getuid: ['int'],
  geteuid: ['int'],
  getgid: ['int'],
  getegid: ['int'],
  getrusage: ['errno', 'int', 'buffer'],
  getrlimit: ['errno', 'int', 'buffer'],
  setrlimit: ['errno', 'int', 'buffer'],
  prlimit: ['errno', 'int', 'int', 'buffer', 'buffer'],
  prctl: ['errno', 'int', 'long', 'long', 'long', 'long'],
  /** For calls that libc may have no function for; its arguments are no pointers here. */
  syscall: ['errno', 'long', 'long', 'long', 'long', 'long', 'long'],
  sigaction: ['errno', 'int', 'buffer', 'buffer'],
  getenv: ['address', 'buffer'],
  // What a process changes of itself before it becomes the program. Ids are long: as an int they would be negative.
  umask: ['int', 'int'],
  /** Of the calling thread where `who` is 0. Between -20 and 19, so no error can be told by it. */
  getpriority: ['int', 'int', 'int'],
  setpriority: ['errno', 'int', 'int', 'int'],
  sched_setaffinity: ['errno', 'int', 'long', 'buffer'],
  sched_getaffinity: ['errno', 'int', 'long', 'buffer'],
  /** Of the calling thread. */
  capset: ['errno', 'buffer', 'buffer'],
  getpwuid_r: ['int', 'long', 'buffer', 'buffer', 'long', 'buffer'],
  getgrouplist: ['int', 'buffer', 'long', 'buffer', 'buffer'],
  strlen: ['int', 'address'],
  memcpy: ['address', 'buffer', 'address', 'long'],
  execve: ['errno', 'address', 'address', 'address'],
  _exit: ['int', 'int'],
  // posix_spawn. Arrays of pointers and paths are addresses inside one buffer.
  posix_spawn: ['int', 'buffer', 'address', 'buffer', 'buffer', 'address', 'address'],
  posix_spawn_file_actions_init: ['int', 'buffer'],
  posix_spawn_file_actions_destroy: ['int', 'buffer'],
  posix_spawn_file_actions_adddup2: ['int', 'buffer', 'int', 'int'],
  posix_spawn_file_actions_addclose: ['int', 'buffer', 'int'],
  posix_spawn_file_actions_addopen: ['int', 'buffer', 'int', 'buffer', 'int', 'long'],
  posix_spawn_file_actions_addfchdir_np: ['int', 'buffer', 'int'],
  /** glibc 2.34 and later. */
  posix_spawn_file_actions_addclosefrom_np: ['int', 'buffer', 'int'],
  posix_spawnattr_init: ['int', 'buffer'],
  posix_spawnattr_setflags: ['int', 'buffer', 'int'],
  posix_spawnattr_setsigmask: ['int', 'buffer', 'buffer'],
  posix_spawnattr_setsigdefault: ['int', 'buffer', 'buffer'],
} as const satisfies Record<string, Signature>;

interface ArgumentOf {
  int: number;
  long: number;
  address: number;
  buffer: Uint8Array | null;
}
type Arguments<P extends readonly Parameter[]> = { [I in keyof P]: ArgumentOf[P[I]] };
type Call<S extends Signature> = S extends readonly [unknown, ...infer P extends readonly Parameter[]]
  ? (...args: Arguments<P>) => number
  : never;

export type LibcName = keyof typeof table;
type Functions = { readonly [K in LibcName]: Call<(typeof table)[K]> };

/** libc as this thread's driver binds it. */
export interface Libc extends Functions {
  readonly driver: Driver;
  /** Whether it is glibc; otherwise musl, or another one without glibc's extensions. */
  readonly glibc: boolean;
  /** Of the process: the one with its id. `node:worker_threads` takes longer to load than a start to be prepared. */
  readonly isMainThread: boolean;
  /** Whether this libc has a function of the table. */
  has(name: LibcName): boolean;
}

/** Functions that fail with -1 and errno give the errno, negative. One closure per number of parameters: this is hot. */
function withErrno(native: NativeFunction, driver: Driver, parameters: number): NativeFunction {
  const { errno } = driver;
  switch (parameters) {
    case 1:
      return (a = 0) => {
        const result = native(a);
        return result === -1 ? -errno() : result;
      };
    case 2:
      return (a = 0, b = 0) => {
        const result = native(a, b);
        return result === -1 ? -errno() : result;
      };
    case 3:
      return (a = 0, b = 0, c = 0) => {
        const result = native(a, b, c);
        return result === -1 ? -errno() : result;
      };
    default:
      return (...args) => {
        const result = native(...args);
        return result === -1 ? -errno() : result;
      };
  }
}

function bind(driver: Driver, name: LibcName): NativeFunction {
  const [result, ...parameters]: Signature = table[name];
  const native = driver.bind(name, result === 'address' ? 'address' : 'int', parameters);
  if (native === undefined) throw new Error(`this libc has no ${name}()`);
  return result === 'errno' ? withErrno(native, driver, parameters.length) : native;
}

/** libc through a driver that is loaded already. */
export function libcOver(driver: Driver): Libc {
  const functions = {} as Record<LibcName, NativeFunction>;
  for (const name of Object.keys(table) as LibcName[]) {
    let bound: NativeFunction | undefined;
    // Takes its own place with the function itself; a caller that kept this one still gets the same result.
    functions[name] = (...args) => {
      bound ??= functions[name] = bind(driver, name);
      return bound(...args);
    };
  }
  const libc = Object.assign(functions as unknown as Functions, {
    driver,
    glibc: driver.symbol('gnu_get_libc_version') !== undefined,
    isMainThread: functions.syscall(LINUX.SYS_gettid, 0, 0, 0, 0, 0) === process.pid,
    has: (name: LibcName) => driver.symbol(name) !== undefined,
  });
  // koffi ends the whole process if a worker thread is terminated while it binds: that moment is over with the loading.
  if (driver.name === 'koffi' && !libc.isMainThread) {
    for (const name of Object.keys(table) as LibcName[]) if (libc.has(name)) functions[name] = bind(driver, name);
  }
  return libc;
}

const made = new Map<DriverName, Libc>();

/** libc through a driver; one per driver and thread. Throws what {@link loadDriver} throws. */
export function libcThrough(name: DriverName): Libc {
  let libc = made.get(name);
  if (libc === undefined) made.set(name, (libc = libcOver(loadDriver(name))));
  return libc;
}
