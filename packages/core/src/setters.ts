/**
 * The setters: they check, note the first misuse with the place of the call, and store. They never throw; the misuse is
 * reported by the run, by `getArgList()` and in `toString()`.
 */
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { describe, joinValues, toValue, Unsendable, type Value } from './bytes';
import { badName, passed, passedCommon, splitEntry, xdg } from './environment';
import { CommandUsageError } from './errors';
import { formatValue } from './format';
import { ownProperties, ownProperty, plainData } from './plain';
import { draftText } from './plan';
import { isSecret, revealSecret } from './secret';
import { emptyDraft, type Draft, type StreamChoice } from './spec';
import type { Capability, Fd, Limit, Limits } from './types';

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

const isCount = (value: unknown, most = Number.MAX_SAFE_INTEGER): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most;

/** Whether something is a descriptor number, or has one. */
export function isFd(given: unknown): given is Fd {
  if (isCount(given, 0x7fffffff)) return true;
  return typeof given === 'object' && given !== null && typeof Reflect.get(given, 'fd') === 'number';
}

/** The setters of a command, by virCommand's names. */
export class CommandSetters {
  protected readonly draft: Draft;
  /** The first misuse; it sticks. */
  protected misuse: CommandUsageError | undefined;
  /** While the options form is read: the option, which the caller wrote instead of the setter. */
  protected via: string | undefined;
  /** While the options form is read: the constructor, above which the caller's stack begins. */
  protected above: ((...args: never[]) => unknown) | undefined;

  protected constructor(program: unknown, above: CommandSetters['above']) {
    this.above = above;
    const value = toValue(program);
    const empty = value instanceof Unsendable ? false : value.content === '';
    this.draft = emptyDraft(value instanceof Unsendable ? { content: '', mask: undefined } : value);
    if (value instanceof Unsendable) this.note('new Command', `program ${value.reason}`);
    else if (empty) this.note('new Command', 'program is empty');
    else if (value.mask !== undefined) this.note('new Command', 'program must not be a secret');
  }

  /** The error of a wrong call; its stack begins where the caller called `at`. */
  protected usageError(call: string, reason: string, at = call): CommandUsageError {
    const error = new CommandUsageError(this.via ?? `${call}()`, reason, { command: draftText(this.draft) });
    const method: unknown = Reflect.get(this, at);
    Error.captureStackTrace(error, this.above ?? (typeof method === 'function' ? method : undefined));
    return error;
  }

  /** Notes a misuse, if it is the first one. */
  protected note(call: string, reason: string): this {
    this.misuse ??= this.usageError(call, reason);
    return this;
  }

  /** A value that can be sent, or a noted misuse. */
  private value(call: string, what: string, given: unknown): Value | undefined {
    const value = toValue(given);
    if (!(value instanceof Unsendable)) return value;
    this.note(call, `${what} ${value.reason}`);
    return undefined;
  }

  /** A path or label: text, not empty. */
  private text(call: string, what: string, given: unknown): string | undefined {
    const value =
      typeof given === 'string' ? toValue(given) : new Unsendable(`must be a string, not ${describe(given)}`);
    if (value instanceof Unsendable) this.note(call, `${what} ${value.reason}`);
    else if (given === '') this.note(call, `${what} is empty`);
    else return given as string;
    return undefined;
  }

  private setOnce<K extends keyof Draft>(call: string, key: K, value: Draft[K]): this {
    if (this.draft[key] !== undefined && this.draft[key] !== false) {
      return this.note(call, 'was called before; it can be called once');
    }
    this.draft[key] = value;
    return this;
  }

  private addEntries(entries: readonly (readonly [string, Value])[]): this {
    const env = (this.draft.env ??= new Map<string, Value>());
    for (const [name, value] of entries) env.set(name, value);
    return this;
  }

  private setStream(call: string, key: 'stdin' | 'stdout' | 'stderr', choice: StreamChoice): this {
    if (this.draft[key] !== undefined) return this.note(call, `${key} is already set; it can be set once`);
    this.draft[key] = choice;
    return this;
  }

  private setStreamFd(call: string, key: 'stdin' | 'stdout' | 'stderr', given: unknown): this {
    if (given === 'pipe') return this.setStream(call, key, { kind: 'pipe' });
    if (key === 'stderr' && given === 'stdout') return this.setStream(call, key, { kind: 'same-as-stdout' });
    if (isFd(given)) return this.setStream(call, key, { kind: 'fd', fd: given });
    const also = key === 'stderr' ? `'pipe' or 'stdout'` : `'pipe'`;
    return this.note(call, `takes a descriptor, something with an fd, or ${also}, not ${describe(given)}`);
  }

  private setStreamFile(call: string, key: 'stdin' | 'stdout' | 'stderr', given: unknown, append: unknown): this {
    const path = this.text(call, 'path', given);
    if (path === undefined) return this;
    if (append !== undefined && typeof append !== 'boolean') return this.note(call, 'append must be a boolean');
    return this.setStream(call, key, { kind: 'file', path, append: append === true });
  }

  /** Data for a pipe: any bytes, NUL included. */
  private data(call: string, given: unknown): Uint8Array | undefined {
    const plain = isSecret(given) ? revealSecret(given) : given;
    if (typeof plain === 'string') {
      if (plain.isWellFormed()) return Buffer.from(plain, 'utf8');
      this.note(call, 'data contains a lone surrogate, which UTF-8 cannot express; pass bytes');
    } else if (types.isUint8Array(plain)) return Buffer.from(plain);
    else this.note(call, `data must be a string, a Uint8Array or a secret(), not ${describe(given)}`);
    return undefined;
  }

  // Arguments

  addArg(value: unknown): this {
    const arg = this.value('addArg', 'argument', value);
    if (arg !== undefined) this.draft.args.push(arg);
    return this;
  }

  addArgs(values: unknown): this {
    return this.appendArgs('addArgs', values);
  }

  addArgList(...values: unknown[]): this {
    return this.appendArgs('addArgList', values);
  }

  protected appendArgs(call: string, values: unknown): this {
    if (!Array.isArray(values)) return this.note(call, `takes an array, not ${describe(values)}`);
    for (let index = 0; index < values.length; index++) {
      const arg = this.value(call, `argument ${index}`, values[index]);
      if (arg === undefined) return this;
      this.draft.args.push(arg);
    }
    return this;
  }

  addArgPair(name: unknown, value: unknown): this {
    const left = this.value('addArgPair', 'name', name);
    const right = this.value('addArgPair', 'value', value);
    if (left !== undefined && right !== undefined) this.draft.args.push(joinValues([left, '=', right]));
    return this;
  }

  addArgFormat(format: unknown, ...values: unknown[]): this {
    const arg = formatValue(format, values);
    if (arg instanceof Unsendable) return this.note('addArgFormat', arg.reason);
    this.draft.args.push(arg);
    return this;
  }

  setArgv0(value: unknown): this {
    const argv0 = this.value('setArgv0', 'argv[0]', value);
    return argv0 === undefined ? this : this.setOnce('setArgv0', 'argv0', argv0);
  }

  // Environment

  addEnvPair(name: unknown, value: unknown): this {
    const reason = badName(name);
    if (reason !== undefined) return this.note('addEnvPair', reason);
    const content = this.value('addEnvPair', `value of ${String(name)}`, value);
    return content === undefined ? this : this.addEntries([[name as string, content]]);
  }

  addEnvFormat(format: unknown, ...values: unknown[]): this {
    const entry = formatValue(format, values);
    const split = entry instanceof Unsendable ? entry : splitEntry(entry);
    if (split instanceof Unsendable) return this.note('addEnvFormat', `entry ${split.reason}`);
    return this.addEntries([split]);
  }

  addEnvString(nameEqualsValue: unknown): this {
    const entry = toValue(nameEqualsValue);
    const split = entry instanceof Unsendable ? entry : splitEntry(entry);
    if (split instanceof Unsendable) return this.note('addEnvString', `entry ${split.reason}`);
    return this.addEntries([split]);
  }

  addEnvPass(name: unknown): this {
    const reason = badName(name);
    if (reason !== undefined) return this.note('addEnvPass', reason);
    return this.addEntries(passed(name as string));
  }

  addEnvPassCommon(): this {
    return this.addEntries(passedCommon());
  }

  addEnvXdg(baseDirectory: unknown): this {
    const base = this.text('addEnvXdg', 'base directory', baseDirectory);
    return base === undefined ? this : this.addEntries(xdg({ content: base, mask: undefined }));
  }

  clearEnv(): this {
    this.draft.env = new Map();
    return this;
  }

  // Standard streams

  setInputBuffer(data: unknown): this {
    const bytes = this.data('setInputBuffer', data);
    if (bytes === undefined) return this;
    return this.setStream('setInputBuffer', 'stdin', { kind: 'input', data: bytes });
  }

  setOutputBuffer(encoding?: unknown): this {
    return this.setCapture('setOutputBuffer', 'stdout', encoding);
  }

  setErrorBuffer(encoding?: unknown): this {
    return this.setCapture('setErrorBuffer', 'stderr', encoding);
  }

  private setCapture(call: string, key: 'stdout' | 'stderr', encoding: unknown): this {
    if (encoding !== undefined && encoding !== 'buffer') {
      return this.note(call, `takes nothing or 'buffer', not ${describe(encoding)}`);
    }
    return this.setStream(call, key, { kind: 'capture', as: encoding === 'buffer' ? 'bytes' : 'text' });
  }

  setInputFd(fd: unknown): this {
    return this.setStreamFd('setInputFd', 'stdin', fd);
  }

  setOutputFd(fd: unknown): this {
    return this.setStreamFd('setOutputFd', 'stdout', fd);
  }

  setErrorFd(fd: unknown): this {
    return this.setStreamFd('setErrorFd', 'stderr', fd);
  }

  setInputFile(path: unknown): this {
    return this.setStreamFile('setInputFile', 'stdin', path, undefined);
  }

  setOutputFile(path: unknown, options?: unknown): this {
    return this.setStreamFile('setOutputFile', 'stdout', path, ownProperty(options, 'append'));
  }

  setErrorFile(path: unknown, options?: unknown): this {
    return this.setStreamFile('setErrorFile', 'stderr', path, ownProperty(options, 'append'));
  }

  /** The options form: any of its values for a stream. */
  protected applyStream(key: 'stdin' | 'stdout' | 'stderr', given: unknown): this {
    const call = key;
    if (given === 'null') return this.setStream(call, key, { kind: 'null' });
    if (given === 'inherit') {
      const fd = key === 'stdin' ? 0 : key === 'stdout' ? 1 : 2;
      return this.setStream(call, key, { kind: 'fd', fd });
    }
    if (key !== 'stdin' && (given === 'text' || given === 'bytes')) {
      return this.setStream(call, key, { kind: 'capture', as: given });
    }
    if (typeof given === 'object' && given !== null && Object.hasOwn(given, 'file')) {
      return this.setStreamFile(call, key, ownProperty(given, 'file'), ownProperty(given, 'append'));
    }
    if (key === 'stdin' && typeof given === 'object' && given !== null && Object.hasOwn(given, 'input')) {
      const bytes = this.data(call, ownProperty(given, 'input'));
      return bytes === undefined ? this : this.setStream(call, key, { kind: 'input', data: bytes });
    }
    if (typeof given === 'string' && given !== 'pipe' && !(key === 'stderr' && given === 'stdout')) {
      const words = key === 'stdin' ? "'null', 'inherit', 'pipe'" : "'null', 'inherit', 'pipe', 'text', 'bytes'";
      return this.note(call, `'${given}' is none of ${words}${key === 'stderr' ? ", 'stdout'" : ''}`);
    }
    return this.setStreamFd(call, key, given);
  }

  doAsyncIo(): this {
    this.draft.asyncIo = true;
    return this;
  }

  nonblockingFds(): this {
    this.draft.nonblockingFds = true;
    return this;
  }

  // Other descriptors

  passFd(fd: unknown, options?: unknown): this {
    if (!isFd(fd)) return this.note('passFd', `takes a descriptor, not ${describe(fd)}`);
    const as = ownProperty(options, 'as');
    const closeInParent = ownProperty(options, 'closeInParent');
    if (closeInParent !== undefined && typeof closeInParent !== 'boolean') {
      return this.note('passFd', 'closeInParent must be a boolean');
    }
    if (as !== undefined && !isCount(as, 0x7fffffff)) {
      return this.note('passFd', `as must be a descriptor number, not ${describe(as)}`);
    }
    const target = as ?? (typeof fd === 'number' ? fd : undefined);
    // Taken even where it is a misuse: the promise to close it holds whatever else is wrong.
    this.draft.passFds.push({ fd, as, closeInParent: closeInParent === true });
    return target !== undefined && target < 3
      ? this.note('passFd', `${target} is stdin, stdout or stderr; use setInputFd() and the like, or 'as'`)
      : this;
  }

  setSendBuffer(fd: unknown, data: unknown): this {
    const number: unknown = typeof fd === 'object' && fd !== null ? Reflect.get(fd, 'fd') : fd;
    if (!isCount(number, 0x7fffffff) || number < 3) {
      return this.note('setSendBuffer', `takes a number in the program, 3 or more, not ${describe(fd)}`);
    }
    const bytes = this.data('setSendBuffer', data);
    if (bytes !== undefined) this.draft.sendBuffers.push({ fd: number, data: bytes });
    return this;
  }

  // Process attributes

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
    return this.setNumbers('setAffinity', 'affinity', processors, 8191);
  }

  clearCaps(): this {
    this.draft.clearCaps = true;
    return this;
  }

  allowCap(capability: unknown): this {
    if (typeof capability !== 'string' || !/^CAP_[A-Z0-9_]+$/.test(capability)) {
      const given = typeof capability === 'string' ? `'${capability}'` : describe(capability);
      return this.note('allowCap', `takes a name like 'CAP_NET_RAW', not ${given}`);
    }
    if (!this.draft.allowCaps.includes(capability as Capability)) this.draft.allowCaps.push(capability as Capability);
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
    if (key === undefined) return this.note(call, `${describe(name)} is none of ${limitNames.join(', ')}`);
    const one = readLimit(limit);
    const soft = one ?? readLimit(ownProperty(limit, 'soft'));
    const hard = one ?? readLimit(ownProperty(limit, 'hard'));
    if (soft === undefined || hard === undefined) {
      return this.note(call, `${key} takes a number, 'unlimited' or { soft, hard }, not ${describe(limit)}`);
    }
    if (hard !== 'unlimited' && (soft === 'unlimited' || soft > hard)) {
      return this.note(call, `${key}: the soft limit is above the hard one`);
    }
    this.draft.limits[key] = one ?? { soft, hard };
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
    const given = ownProperty(hook, 'module');
    const name = ownProperty(hook, 'export') ?? 'default';
    const data = plainData(ownProperty(hook, 'data') ?? null);
    const module = moduleUrl(given);
    if (module === undefined) {
      return this.note('setPreExecHook', 'module must be a file: URL or an absolute path');
    }
    if (typeof name !== 'string' || name === '') return this.note('setPreExecHook', 'export must be a name');
    if ('reason' in data) return this.note('setPreExecHook', `data ${data.reason}; it must be JSON`);
    return this.setOnce('setPreExecHook', 'preExecHook', { module, export: name, data: data.data });
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
    this.draft.coreScheduling = { among: pid };
    return this;
  }

  /** The options form: limits and capabilities, which have fields of their own. */
  protected applyFields(option: 'limits' | 'capabilities', given: unknown): this {
    if (typeof given !== 'object' || given === null) return this.note(option, 'must be an object');
    for (const [name, value] of ownProperties(given)) {
      if (value === undefined) continue;
      if (option === 'limits') this.storeLimit(option, name, value);
      else if (name === 'clear' && typeof value === 'boolean') this.draft.clearCaps = value;
      else if (name === 'allow' && Array.isArray(value)) for (const capability of value) this.allowCap(capability);
      else this.note(option, `${name} is unknown or of the wrong type`);
    }
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
