/** Linux's capabilities by name and by number: a plan has one spelling for each. */
import { isCount } from './plain';
import type { Capability } from './types';

/** Without `CAP_`, in the order of their numbers. */
const names = [
  ...['CHOWN', 'DAC_OVERRIDE', 'DAC_READ_SEARCH', 'FOWNER', 'FSETID', 'KILL', 'SETGID', 'SETUID', 'SETPCAP'],
  ...['LINUX_IMMUTABLE', 'NET_BIND_SERVICE', 'NET_BROADCAST', 'NET_ADMIN', 'NET_RAW', 'IPC_LOCK', 'IPC_OWNER'],
  ...['SYS_MODULE', 'SYS_RAWIO', 'SYS_CHROOT', 'SYS_PTRACE', 'SYS_PACCT', 'SYS_ADMIN', 'SYS_BOOT', 'SYS_NICE'],
  ...['SYS_RESOURCE', 'SYS_TIME', 'SYS_TTY_CONFIG', 'MKNOD', 'LEASE', 'AUDIT_WRITE', 'AUDIT_CONTROL', 'SETFCAP'],
  ...['MAC_OVERRIDE', 'MAC_ADMIN', 'SYSLOG', 'WAKE_ALARM', 'BLOCK_SUSPEND', 'AUDIT_READ', 'PERFMON', 'BPF'],
  'CHECKPOINT_RESTORE',
];
const numbers: ReadonlyMap<string, number> = new Map(names.map((name, number) => [`CAP_${name}`, number]));

/** The kernel's sets have so many bits. */
const largest = 63;

/** The one spelling of what was given; `undefined`: that is no capability. Later kernels may know more names. */
export function capability(given: unknown): Capability | undefined {
  if (isCount(given, largest)) return `CAP_${names[given] ?? given}`;
  if (typeof given !== 'string') return undefined;
  const number = /^CAP_(\d+)$/.exec(given)?.[1];
  if (number !== undefined) return capability(Number(number));
  return /^CAP_[A-Z][A-Z0-9_]*$/.test(given) ? (given as Capability) : undefined;
}

/** For backends: the number of a capability of a plan; `undefined`: a name that this version does not know. */
export function capabilityNumber(name: string): number | undefined {
  const number = /^CAP_(\d+)$/.exec(name)?.[1];
  return number === undefined ? numbers.get(name) : Number(number);
}
