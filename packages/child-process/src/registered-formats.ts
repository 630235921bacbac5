/** Formats that the administrator has added to the kernel (binfmt_misc): emulators, Java, Wine. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isBinary } from './elf';

const registry = '/proc/sys/fs/binfmt_misc';
/** PROC_PID_INIT_INO: of processes that are in no container. */
const firstPidNamespace = 'pid:[4026531836]';

/** Whether one registered format takes the file, from the kernel's description of the format. */
function matches(description: string, head: Buffer, file: Buffer): boolean {
  if (!description.startsWith('enabled')) return false;
  const field = (name: string): string | undefined => new RegExp(`^${name} (.*)$`, 'm').exec(description)?.[1];
  const extension = field('extension');
  if (extension !== undefined) return file.toString('latin1').endsWith(extension);
  const magic = Buffer.from(field('magic') ?? '', 'hex');
  const mask = Buffer.from(field('mask') ?? '', 'hex');
  const offset = Number(field('offset') ?? 0);
  return (
    magic.length > 0 &&
    magic.every((byte, index) => {
      const bits = mask[index] ?? 0xff;
      return ((head[offset + index] ?? -1) & bits) === (byte & bits);
    })
  );
}

/** A container shares the kernel's formats and does not see them. */
function mayBeHidden(): boolean {
  if (!existsSync('/proc/sys/kernel')) return true;
  if (!existsSync(registry)) return false;
  try {
    return readlinkSync('/proc/self/ns/pid') !== firstPidNamespace;
  } catch {
    return true;
  }
}

export function isRegistered(file: Buffer, head: Buffer): boolean {
  try {
    if (!readFileSync(`${registry}/status`, 'latin1').startsWith('enabled')) return false;
    const formats = readdirSync(registry).filter((name) => name !== 'register' && name !== 'status');
    return formats.some((name) => matches(readFileSync(`${registry}/${name}`, 'latin1'), head, file));
  } catch {
    // Emulators are what containers have: whole binaries of other machines are the kernel's to judge, and nothing else.
    return mayBeHidden() && isBinary(file, head);
  }
}
