/**
 * What every setter does: check, note the first misuse with the place of the call, and store. Setters never throw; the
 * misuse is reported by the run, by `getArgList()` and in `toString()`.
 */
import { types } from 'node:util';
import { toValue, unreadable, Unsendable, type Value } from './bytes';
import { CommandUsageError } from './errors';
import { describe, strayName } from './plain';
import { draftText } from './plan';
import { isSecret, revealSecret } from './secret';
import { beginStackAt, siteOf, type Site } from './site';
import { emptyDraft, type Draft, type Input } from './spec';

type Callable = (...args: never[]) => unknown;

/** A command that is being described, and the first thing that was wrong with it. */
export class Described {
  /** Out of sight of `util.inspect`, since secrets are in it. */
  readonly #draft: Draft;
  /** The first misuse; it sticks. */
  protected misuse: CommandUsageError | undefined;
  /** While the options form is read: the name of the option, which the caller wrote instead of the setter. */
  protected via: string | undefined;
  /** While the options form is read: the constructor, above which the caller's stack begins. */
  protected above: Callable | undefined;

  protected constructor(program: unknown, above: Callable | undefined) {
    this.above = above;
    const value = toValue(program);
    const empty = value instanceof Unsendable ? false : value.content === '';
    // A secret program is a misuse, and its error must not tell it.
    const content = value instanceof Unsendable ? '' : (value.mask ?? value.content);
    this.#draft = emptyDraft({ content, mask: undefined });
    if (value instanceof Unsendable) this.note('new Command', `program ${value.reason}`);
    else if (empty) this.note('new Command', 'program is empty');
    else if (value.mask !== undefined) this.note('new Command', 'program must not be a secret');
  }

  protected get draft(): Draft {
    return this.#draft;
  }

  /** The place where the caller called a method. */
  protected site(method: string): Site {
    const called: unknown = Reflect.get(this, method);
    return siteOf(this.above ?? (typeof called === 'function' ? (called as Callable) : undefined));
  }

  /** The error of a wrong call; its stack begins where the caller called. */
  protected usageError(call: string, reason: string, at = this.site(call)): CommandUsageError {
    const name = this.via === undefined ? (/[()']/.test(call) ? call : `${call}()`) : `option '${this.via}'`;
    return beginStackAt(new CommandUsageError(name, reason, { command: draftText(this.draft) }), at);
  }

  /** Notes a misuse, if it is the first one. */
  protected note(call: string, reason: string): this {
    this.misuse ??= this.usageError(call, reason);
    return this;
  }

  /** Whether an object of a caller says nothing but what is known; noted if not. */
  protected knows(call: string, given: unknown, known: readonly string[]): boolean {
    const wrong = strayName(given, known);
    if (wrong !== undefined) this.note(call, wrong);
    return wrong === undefined;
  }

  /** A value that can be sent, or a noted misuse. */
  protected value(call: string, what: string, given: unknown): Value | undefined {
    const value = toValue(given);
    if (!(value instanceof Unsendable)) return value;
    this.note(call, `${what} ${value.reason}`);
    return undefined;
  }

  /** A path or label: text, not empty. */
  protected text(call: string, what: string, given: unknown): string | undefined {
    const value =
      typeof given === 'string' ? toValue(given) : new Unsendable(`must be a string, not ${describe(given)}`);
    if (value instanceof Unsendable) this.note(call, `${what} ${value.reason}`);
    else if (given === '') this.note(call, `${what} is empty`);
    else return given as string;
    return undefined;
  }

  /** Data for a pipe: any bytes, NUL included. Bytes are not copied: 16 MiB would take longer than a start. */
  protected data(call: string, given: unknown): Input | undefined {
    try {
      const secret = isSecret(given);
      const plain = secret ? revealSecret(given) : given;
      const input = (data: Buffer): Input => ({ data, size: data.length, secret });
      if (typeof plain === 'string') {
        if (plain.isWellFormed()) return input(Buffer.from(plain, 'utf8'));
        this.note(call, 'data contains a lone surrogate, which UTF-8 cannot express; pass bytes');
      } else if (types.isUint8Array(plain)) {
        // Throws where the memory is gone, which `byteLength` calls 0.
        plain.at(0);
        return input(Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength));
      } else this.note(call, `data must be a string, a Uint8Array or a secret(), not ${describe(given)}`);
    } catch (error) {
      this.note(call, `data ${unreadable(error).reason}`);
    }
    return undefined;
  }

  protected setOnce<K extends keyof Draft>(call: string, key: K, value: Draft[K]): this {
    if (this.draft[key] !== undefined && this.draft[key] !== false) {
      return this.note(call, 'was called before; it can be called once');
    }
    this.draft[key] = value;
    return this;
  }
}
