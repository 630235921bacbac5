/** The setters of arguments and environment. */
import { joinValues, toValue, Unsendable, type Value } from './bytes';
import { Described } from './described';
import { badName, passed, passedCommon, splitEntry, xdg } from './environment';
import { formatValue } from './format';
import { describe } from './plain';

/** What the program is told. */
export class ArgumentSetters extends Described {
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

  private addEntries(entries: readonly (readonly [string, Value])[]): this {
    const env = (this.draft.env ??= new Map<string, Value>());
    for (const [name, value] of entries) env.set(name, value);
    return this;
  }

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
}
