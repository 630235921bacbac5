/** What the system says of itself and of this process. */
import { existsSync, readFileSync } from 'node:fs';
import * as os from 'node:os';
import { capabilitiesIn } from '../capabilities';
import type { LimitReport, Report, SystemReport } from './report';

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** A field of `/proc/self/status`. */
const statusField = (name: string): string | undefined =>
  new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readText('/proc/self/status') ?? '')?.[1];

function libc(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  // Without this a report asks the name servers for the names of all peers.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'musl' : `glibc ${header.glibcVersionRuntime}`;
}

function userName(): string | undefined {
  try {
    return os.userInfo().username;
  } catch {
    // No entry in passwd.
    return undefined;
  }
}

export function system(): SystemReport {
  const seccomp = statusField('Seccomp');
  const noNewPrivs = statusField('NoNewPrivs');
  return {
    platform: process.platform,
    kernel: os.release(),
    architecture: process.arch,
    libc: libc(),
    node: process.versions.node,
    user: { name: userName(), uid: process.geteuid?.() ?? -1, gid: process.getegid?.() ?? -1 },
    noNewPrivs: noNewPrivs === undefined ? undefined : noNewPrivs === '1',
    seccomp: seccomp === undefined ? undefined : seccomp !== '0',
  };
}

export const capabilities = (): Report['capabilities'] => {
  const set = (name: string): readonly string[] | undefined => {
    const mask = statusField(name);
    return mask === undefined ? undefined : capabilitiesIn(BigInt(`0x${mask}`));
  };
  const [effective, permitted, bounding, ambient] = ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'].map(set);
  if (effective === undefined || permitted === undefined || bounding === undefined) return undefined;
  return { effective, permitted, bounding, ambient: ambient ?? [] };
};

/** prlimit(1)'s names by those of the kernel. */
const limitNames: Readonly<Record<string, string>> = {
  'Max open files': 'nofile',
  'Max processes': 'nproc',
  'Max core file size': 'core',
  'Max locked memory': 'memlock',
  'Max address space': 'as',
  'Max cpu time': 'cpu',
  'Max data size': 'data',
  'Max file size': 'fsize',
  'Max stack size': 'stack',
};

export const limits = (): LimitReport[] =>
  (readText('/proc/self/limits') ?? '').split('\n').flatMap((line) => {
    const [, title = '', soft, hard] = /^(.+?)\s{2,}(\S+)\s+(\S+)/.exec(line) ?? [];
    const name = limitNames[title];
    return name === undefined || soft === undefined || hard === undefined ? [] : [{ name, soft, hard }];
  });

/** A program that every system has, also where PATH does not lead to it: what is tried is not PATH. */
export const programOf = (name: string): string =>
  ['/bin', '/usr/bin'].map((directory) => `${directory}/${name}`).find((file) => existsSync(file)) ?? name;

/** The processors that this process may use. */
export const processors = (): string => statusField('Cpus_allowed_list') ?? '0';

/** What the security module calls this process; empty where there is none. */
export const securityLabel = (): string => (readText('/proc/self/attr/current') ?? '').replace(/[\0\n]+$/, '');
