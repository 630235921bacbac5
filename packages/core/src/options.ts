/** The options-object form: each option is a call of a setter, so both forms build the same spec. */
import type { Backend } from './contract';
import { describe, isOptions, isRootPrototype, noObject, ownProperties, ownProperty } from './plain';
import { directions, unknownOption } from './run-options';
import { ProcessSetters } from './set-process';
import type { CommandOptions } from './types';

/** A name that an object has a text by from what it was made of, as by `Object.create(process.env)`. */
function inheritedText(given: object): string | undefined {
  const isText = (name: string): boolean => !Object.hasOwn(given, name) && typeof Reflect.get(given, name) === 'string';
  let link = Object.getPrototypeOf(given) as object | null;
  while (link !== null && !isRootPrototype(link)) {
    const found = Object.keys(link).find(isText);
    if (found !== undefined) return found;
    link = Object.getPrototypeOf(link) as object | null;
  }
  return undefined;
}

/** A command whose setters can be given as options. */
export class CommandWithOptions extends ProcessSetters {
  /** Each option and what it calls, in the order of the calls: what is said explicitly comes after what is passed. */
  private static readonly table: {
    readonly [K in keyof Required<CommandOptions>]: (command: CommandWithOptions, value: unknown) => unknown;
  } = {
    argv0: (command, value) => command.setArgv0(value),
    cwd: (command, value) => command.setWorkingDirectory(value),
    envPassCommon: (command, value) => command.flag(value, () => command.addEnvPassCommon()),
    envPass: (command, value) => command.each(value, (name) => command.addEnvPass(name)),
    env: (command, value) => command.applyEnv(value),
    stdin: (command, value) => command.applyStream('stdin', value),
    stdout: (command, value) => command.applyStream('stdout', value),
    stderr: (command, value) => command.applyStream('stderr', value),
    passFds: (command, value) => command.each(value, (item) => command.passFd(ownProperty(item, 'fd'), item)),
    sendBuffers: (command, value) =>
      command.each(value, (item) =>
        command.knows('option', item, ['fd', 'data'])
          ? command.setSendBuffer(ownProperty(item, 'fd'), ownProperty(item, 'data'))
          : command,
      ),
    asyncIo: (command, value) => command.flag(value, () => command.doAsyncIo()),
    nonblockingFds: (command, value) => command.flag(value, () => command.nonblockingFds()),
    pidFile: (command, value) => command.setPidFile(value),
    daemon: (command, value) => command.flag(value, () => command.daemonize()),
    session: (command, value) => command.flag(value, () => command.setSession()),
    processGroup: (command, value) => command.setProcessGroup(value),
    uid: (command, value) => command.setUid(value),
    gid: (command, value) => command.setGid(value),
    groups: (command, value) => command.setGroups(value),
    umask: (command, value) => command.setUmask(value),
    capabilities: (command, value) => command.applyCapabilities(value),
    noNewPrivs: (command, value) => command.flag(value, () => command.setNoNewPrivs()),
    limits: (command, value) => command.applyLimits(value),
    nice: (command, value) => command.setNice(value),
    affinity: (command, value) => command.setAffinity(value),
    coreScheduling: (command, value) => command.applyCoreScheduling(value),
    selinuxLabel: (command, value) => command.setSelinuxLabel(value),
    appArmorProfile: (command, value) => command.setAppArmorProfile(value),
    preExecHook: (command, value) => command.setPreExecHook(value),
    handshake: (command, value) => command.flag(value, () => command.requireHandshake()),
    rawStatus: (command, value) => command.flag(value, () => command.rawStatus()),
    backend: (command, value) => command.applyBackend(value),
  };

  private static readonly places: ReadonlyMap<string, number> = new Map(
    Object.keys(CommandWithOptions.table).map((name, place) => [name, place]),
  );
  static {
    for (const name of this.places.keys()) directions.set(name, 'it is one of new Command()');
  }

  /** Reads own properties, once; `undefined` means left out. */
  protected applyOptions(given: unknown): void {
    if (!isOptions(given)) {
      this.note('new Command', `options ${noObject(given)}`);
      return;
    }
    const { table, places } = CommandWithOptions;
    const properties = ownProperties(given);
    const chosen: (keyof CommandOptions)[] = [];
    for (const [name, value] of properties) {
      if (!Object.hasOwn(table, name)) this.note('new Command', unknownOption(name, Object.keys(table)));
      else if (value !== undefined) chosen.push(name as keyof CommandOptions);
    }
    if (chosen.length > 1) chosen.sort((a, b) => (places.get(a) ?? 0) - (places.get(b) ?? 0));
    for (const name of chosen) {
      this.via = name;
      table[name](this, properties.get(name));
    }
    this.via = undefined;
  }

  private flag(value: unknown, set: () => unknown): void {
    if (value === true) set();
    else if (value !== false) this.note('option', `must be a boolean, not ${describe(value)}`);
  }

  private each(value: unknown, apply: (item: unknown) => unknown): void {
    if (Array.isArray(value)) for (const item of value) apply(item);
    else this.note('option', `must be an array, not ${describe(value)}`);
  }

  private applyEnv(given: unknown): void {
    if (!isOptions(given) || Symbol.iterator in given) {
      this.note('option', `must be an object of names and values, not ${describe(given)}`);
      return;
    }
    const inherited = inheritedText(given);
    if (inherited !== undefined) {
      const instead = 'and only its own count: { ...process.env, … }';
      this.note('option', `has variables in its prototype ('${inherited}'), ${instead}`);
      return;
    }
    this.draft.env ??= new Map();
    for (const [name, value] of ownProperties(given)) if (value !== undefined) this.addEnvPair(name, value);
  }

  private applyBackend(given: unknown): void {
    if (typeof given === 'object' && given !== null && typeof Reflect.get(given, 'start') === 'function') {
      this.draft.backend = given as Backend;
    } else this.note('option', `must be a backend, not ${describe(given)}`);
  }
}
