/** The setters of process attributes: directory, daemon, ids, limits, capabilities, labels, hook, handshake. */
import { fileURLToPath } from 'node:url';
import { capability } from './capabilities';
import { describe, isCount, isOptions, noObject, ownProperties, ownProperty, plainData, unknownName } from './plain';
import { StreamSetters } from './set-streams';
import type { Limit, Limits } from './types';

const limitNames: readonly (keyof Limits)[] = [
  'memLock',
  'processes',
  'files',
  'core',
  'addressSpace',
  'cpu',
  'data',
  'fileSize',
  'stack',
];
const largestId = 0xfffffffe;
/** What Linux can be built for. */
export const highestProcessor = 8191;

/** The process that the program is. */
export class ProcessSetters extends StreamSetters {
  setWorkingDirectory(path: unknown): this {
    const cwd = this.text('setWorkingDirectory', 'path', path);
    return cwd === undefined ? this : this.setOnce('setWorkingDirectory', 'cwd', cwd);
  }

  setPidFile(path: unknown): this {
    const pidFile = this.text('setPidFile', 'path', path);
    if (pidFile !== undefined) this.draft.pidFile = pidFile;
    return this;
  }

  daemonize(): this {
    this.draft.daemon = true;
    return this;
  }

  setSession(): this {
    this.draft.session = true;
    return this;
  }

  setProcessGroup(own: unknown = true): this {
    if (typeof own !== 'boolean') return this.note('setProcessGroup', 'takes a boolean');
    this.draft.processGroup = own;
    return this;
  }

  private setNumber(
    call: string,
    key: 'uid' | 'gid' | 'umask' | 'nice',
    given: unknown,
    least: number,
    most: number,
  ): this {
    if (typeof given !== 'number' || !Number.isSafeInteger(given) || given < least || given > most) {
      return this.note(call, `takes a whole number from ${least} to ${most}, not ${describe(given)}`);
    }
    this.draft[key] = given;
    return this;
  }

  setUid(uid: unknown): this {
    return this.setNumber('setUid', 'uid', uid, 0, largestId);
  }

  setGid(gid: unknown): this {
    return this.setNumber('setGid', 'gid', gid, 0, largestId);
  }

  setUmask(mask: unknown): this {
    return this.setNumber('setUmask', 'umask', mask, 0, 0o777);
  }

  setNice(nice: unknown): this {
    return this.setNumber('setNice', 'nice', nice, -20, 19);
  }

  private setNumbers(call: string, key: 'groups' | 'affinity', given: unknown, most: number): this {
    const numbers: number[] = [];
    if (!Array.isArray(given)) return this.note(call, `takes an array of numbers, not ${describe(given)}`);
    for (const number of given as unknown[]) {
      if (!isCount(number, most)) return this.note(call, `takes numbers from 0 to ${most}, not ${describe(number)}`);
      numbers.push(number);
    }
    this.draft[key] = numbers;
    return this;
  }

  setGroups(groups: unknown): this {
    return this.setNumbers('setGroups', 'groups', groups, largestId);
  }

  setAffinity(processors: unknown): this {
    if (Array.isArray(processors) && processors.length === 0) {
      return this.note('setAffinity', 'needs at least one processor');
    }
    return this.setNumbers('setAffinity', 'affinity', processors, highestProcessor);
  }

  clearCaps(): this {
    this.draft.clearCaps = true;
    return this;
  }

  allowCap(given: unknown): this {
    const known = capability(given);
    if (known === undefined) {
      const what = typeof given === 'string' ? `'${given}'` : describe(given);
      return this.note('allowCap', `takes a name like 'CAP_NET_RAW' or a number from 0 to 63, not ${what}`);
    }
    if (!this.draft.allowCaps.includes(known)) this.draft.allowCaps.push(known);
    return this;
  }

  setNoNewPrivs(): this {
    this.draft.noNewPrivs = true;
    return this;
  }

  setLimit(name: unknown, limit: unknown): this {
    return this.storeLimit('setLimit', name, limit);
  }

  protected storeLimit(call: string, name: unknown, limit: unknown): this {
    const key = limitNames.find((known) => known === name);
    if (key === undefined) {
      if (typeof name === 'string') return this.note(call, unknownName('limit', name, limitNames));
      return this.note(call, `takes one of ${limitNames.join(', ')}, not ${describe(name)}`);
    }
    const one = readLimit(limit);
    if (one === undefined && typeof limit === 'object' && !this.knows(call, limit ?? undefined, ['soft', 'hard']))
      return this;
    const soft = one ?? readLimit(ownProperty(limit, 'soft'));
    const hard = one ?? readLimit(ownProperty(limit, 'hard'));
    if (soft === undefined || hard === undefined) {
      return this.note(call, `${key} takes a number, 'unlimited' or { soft, hard }, not ${describe(limit)}`);
    }
    if (hard !== 'unlimited' && (soft === 'unlimited' || soft > hard)) {
      return this.note(call, `${key}: the soft limit is above the hard one`);
    }
    this.draft.limits[key] = one ?? Object.freeze({ soft, hard });
    return this;
  }

  setMaxMemLock(bytes: unknown): this {
    return this.storeLimit('setMaxMemLock', 'memLock', bytes);
  }

  setMaxProcesses(count: unknown): this {
    return this.storeLimit('setMaxProcesses', 'processes', count);
  }

  setMaxFiles(count: unknown): this {
    return this.storeLimit('setMaxFiles', 'files', count);
  }

  setMaxCoreSize(bytes: unknown): this {
    return this.storeLimit('setMaxCoreSize', 'core', bytes);
  }

  setSelinuxLabel(label: unknown): this {
    const text = this.text('setSelinuxLabel', 'label', label);
    if (text !== undefined) this.draft.selinuxLabel = text;
    return this;
  }

  setAppArmorProfile(profile: unknown): this {
    const text = this.text('setAppArmorProfile', 'profile', profile);
    if (text !== undefined) this.draft.appArmorProfile = text;
    return this;
  }

  setPreExecHook(hook: unknown): this {
    if (!this.knows('setPreExecHook', hook, ['module', 'export', 'data'])) return this;
    const given = ownProperty(hook, 'module');
    const name = ownProperty(hook, 'export') ?? 'default';
    const data = plainData(ownProperty(hook, 'data') ?? null);
    const module = moduleUrl(given);
    if (module === undefined) {
      return this.note('setPreExecHook', 'module must be a file: URL or an absolute path');
    }
    if (typeof name !== 'string' || name === '') return this.note('setPreExecHook', 'export must be a name');
    if ('reason' in data) return this.note('setPreExecHook', `data ${data.reason}; it must be JSON`);
    return this.setOnce('setPreExecHook', 'preExecHook', Object.freeze({ module, export: name, data: data.data }));
  }

  requireHandshake(): this {
    return this.setOnce('requireHandshake', 'handshake', true);
  }

  rawStatus(): this {
    this.draft.rawStatus = true;
    return this;
  }

  setRunAlone(): this {
    this.draft.coreScheduling = 'alone';
    return this;
  }

  setRunAmong(pid: unknown): this {
    if (!isCount(pid, 0x7fffffff) || pid === 0) {
      return this.note('setRunAmong', `takes a pid, not ${describe(pid)}`);
    }
    this.draft.coreScheduling = Object.freeze({ among: pid });
    return this;
  }

  /** The options form of both. */
  protected applyCoreScheduling(given: unknown): this {
    if (given === 'alone') return this.setRunAlone();
    if (typeof given !== 'object' || given === null) {
      return this.note('coreScheduling', `must be 'alone' or { among: pid }, not ${describe(given)}`);
    }
    return this.knows('coreScheduling', given, ['among']) ? this.setRunAmong(ownProperty(given, 'among')) : this;
  }

  /** The options form of the limits. */
  protected applyLimits(given: unknown): this {
    if (!isOptions(given)) return this.note('limits', noObject(given));
    for (const [name, value] of ownProperties(given)) {
      if (value !== undefined) this.storeLimit('limits', name, value);
    }
    return this;
  }

  /** The options form of the capabilities. */
  protected applyCapabilities(given: unknown): this {
    if (!this.knows('capabilities', given, ['clear', 'allow'])) return this;
    const clear = ownProperty(given, 'clear') ?? false;
    const allow = ownProperty(given, 'allow') ?? [];
    if (typeof clear !== 'boolean') return this.note('capabilities', 'clear must be a boolean');
    if (!Array.isArray(allow)) return this.note('capabilities', 'allow must be an array');
    this.draft.clearCaps = clear;
    for (const one of allow) this.allowCap(one);
    return this;
  }
}

/** A limit in the form that JSON can hold. */
function readLimit(given: unknown): Exclude<Limit, object> | undefined {
  if (given === 'unlimited' || given === Infinity) return 'unlimited';
  return isCount(given) ? given : undefined;
}

function moduleUrl(given: unknown): string | undefined {
  const text = typeof given === 'object' && given !== null && 'href' in given ? String(given.href) : given;
  if (typeof text !== 'string' || text.includes('\0')) return undefined;
  if (!text.startsWith('file:')) return /^(\/|[A-Za-z]:[\\/])/.test(text) ? text : undefined;
  try {
    return fileURLToPath(text);
  } catch {
    return undefined;
  }
}
