/**
 * What of a call may be written to a file, and how: secrets and what differs from machine to machine become placeholders
 * (`<secret:argv.2>`, `<tmp>`, `<redacted:1>`), and where a replay knows the value it is put back.
 *
 * A `<` that would read as a placeholder is written as `<<>`.
 */
import { isUtf8 } from 'node:buffer';
import { homedir, tmpdir } from 'node:os';
import { delimiter } from 'node:path';
import { types } from 'node:util';
import { planBytes, type LaunchPlan, type PlanString } from '@vircommand/core/backend';
import { formsOf, holdsLogin, isTelling, loginsIn, searched, secretsOf, shortestSecret } from './secrets';

/** What the author of a test wants. */
export interface RedactOptions {
  readonly redact: readonly (string | RegExp)[];
  readonly placeholders: Readonly<Record<string, string | RegExp>>;
  /** Names of variables whose values may be stored. */
  readonly env: readonly string[];
}

/** Variables whose values are treated as secrets whatever they hold, if they are long enough to be one. */
const sensitiveName = /TOKEN|SECRET|PASS|CREDENTIAL|PRIVATE|COOKIE|SESSION_?ID|AUTH|API_?KEY|ACCESS_?KEY|(^|_)KEY$/i;
/** Shorter values of variables that nobody calls secret are words of other texts. */
const shortestSensitive = 8;

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);

/** One kind of thing to hide; all are looked for in this order, each in what the ones before have left. */
interface Pass {
  /** Where it is, from left to right. */
  find(text: string): Iterable<{ readonly 0: string; readonly index: number }>;
  /** The placeholder of a match. */
  nameOf(match: string): string;
}

type Entries = readonly (readonly [name: string, value: string])[];

/** Each value once, the longest first: a value within a longer one is found only elsewhere. */
function namesByValue(entries: Entries): Map<string, string> | undefined {
  const byValue = new Map<string, string>();
  for (const [name, value] of entries) if (value !== '' && !byValue.has(value)) byValue.set(value, name);
  return byValue.size === 0 ? undefined : new Map([...byValue].sort(([a], [b]) => b.length - a.length));
}

/** Uses no regular expression: V8 refuses one of about 40 KB, with an error that shows the secrets. */
function literals(entries: Entries): Pass | undefined {
  const byValue = namesByValue(entries);
  if (byValue === undefined) return undefined;
  return {
    *find(text) {
      let places = Array.from(byValue.keys(), (value) => ({ 0: value, index: text.indexOf(value) }));
      for (let from = 0; ;) {
        for (const place of places) if (place.index < from) place.index = text.indexOf(place[0], from);
        places = places.filter(({ index }) => index >= from);
        const [first, ...rest] = places;
        if (first === undefined) return;
        const next = rest.reduce((best, place) => (place.index < best.index ? place : best), first);
        yield { ...next };
        from = next.index + next[0].length;
      }
    },
    nameOf: (match) => byValue.get(match) ?? '',
  };
}

/** A path is one only where no longer name begins or ends with it. */
const pathEdge = { before: String.raw`(?<![\w.-])`, after: String.raw`(?![\w-])` };

function paths(entries: Entries): (Pass & { readonly pattern: RegExp }) | undefined {
  const byValue = namesByValue(entries);
  if (byValue === undefined) return undefined;
  const source = `(?:${Array.from(byValue.keys(), escaped).join('|')})`;
  const pattern = new RegExp(pathEdge.before + source + pathEdge.after, 'gu');
  return { pattern, find: (text) => text.matchAll(pattern), nameOf: (match) => byValue.get(match) ?? '' };
}

/** As a directory it is in every path, and so is hidden in none. */
const root = '/';

/** How to redact a call. Calls without secrets of their own share one. */
interface Rules {
  /** What is hidden, each by its name. */
  readonly secrets: readonly (readonly [name: string, value: string])[];
  readonly others: readonly Pass[];
  /** What is put back. */
  readonly known: readonly (readonly [name: string, value: string])[];
  /** Values of this process that the call was not given. */
  readonly inherited: readonly (readonly [name: string, value: string])[];
  readonly token: RegExp;
  readonly passes: readonly Pass[];
}

const passesOf = (secrets: Iterable<Entries[number]>, others: readonly Pass[]): readonly Pass[] => {
  const pass = literals([...secrets]);
  return pass === undefined ? others : [pass, ...others];
};

/** Hides and shows the strings of one call. */
export class CallRedactor {
  /** Placeholder to value, as far as this call knows. */
  private readonly values = new Map<string, string>();
  /** Names of inherited values that are in no argument or input of the call. A recording must not be able to print them. */
  private readonly unsaid: Set<string>;
  private passes: readonly Pass[];
  private readonly secrets: Map<string, string>;

  constructor(
    private readonly rules: Rules,
    private readonly met: Map<string, string>,
  ) {
    const { secrets, known, inherited, passes } = rules;
    this.secrets = new Map(secrets);
    this.passes = passes;
    for (const [name, value] of [...known, ...inherited]) if (!this.values.has(name)) this.values.set(name, value);
    this.unsaid = new Set(inherited.map(([name]) => name));
  }

  /** A secret that the plan does not hold: what the program reads, or has read until now. */
  learn(name: string, value: string): void {
    for (const [form, content] of [...formsOf(name, value), ...loginsIn(name, value)]) {
      this.values.set(form, content);
      if (content.length >= shortestSecret) this.secrets.set(form, content);
      if (isTelling([form, content])) this.met.set(content, form);
    }
    this.passes = passesOf(this.secrets, this.rules.others);
  }

  hide(text: string): string {
    return this.hideFrom(text, 0);
  }

  private hideFrom(text: string, from: number): string {
    for (let at = from; at < this.passes.length; at++) {
      const pass = this.passes[at];
      if (pass === undefined) continue;
      let [hidden, last] = ['', -1];
      for (const { 0: match, index } of pass.find(text)) {
        if (match === '') continue;
        const name = pass.nameOf(match);
        if (!this.values.has(name)) this.values.set(name, match);
        this.unsaid.delete(name);
        hidden += `${this.hideFrom(text.slice(Math.max(last, 0), index), at + 1)}<${name}>`;
        last = index + match.length;
      }
      if (last >= 0) return hidden + this.hideFrom(text.slice(last), at + 1);
    }
    return text.includes('<') ? text.replace(this.rules.token, (match) => `<<>${match.slice(1)}`) : text;
  }

  /** A whole argument or variable that is a secret. */
  secret(name: string, value: string): string {
    this.values.set(name, value);
    return `<${name}>`;
  }

  /** Puts values back, but for inherited ones that the call does not have itself. */
  show(text: string): string {
    return this.putBack(text, this.unsaid);
  }

  private putBack(text: string, without: ReadonlySet<string> | undefined): string {
    if (!text.includes('<')) return text;
    return text.replace(this.rules.token, (match, at: number) => {
      const name = match.slice(1, -1);
      const value = name === '<' ? '<' : without?.has(name) === true ? match : (this.values.get(name) ?? match);
      return value === root && text[at + match.length] === root ? '' : value;
    });
  }

  /** Whether all placeholders of a text have values here. */
  knows(text: string): boolean {
    return this.names(text).every((name) => name === '<' || this.values.has(name));
  }

  /** Whether the text names no inherited value that {@link show} would leave out. */
  saidAll(data: string | Buffer): boolean {
    if (this.unsaid.size === 0 || !data.includes('<env:')) return true;
    return !this.names(data.toString('latin1')).some((name) => this.unsaid.has(name));
  }

  private names(text: string): string[] {
    return Array.from(text.matchAll(this.rules.token), ([match]) => match.slice(1, -1));
  }

  /** Bytes that are no text are searched byte for byte. */
  hideBytes(data: Uint8Array): string | Buffer {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (isUtf8(bytes)) return this.hide(bytes.toString('utf8'));
    return Buffer.from(this.hide(bytes.toString('latin1')), 'latin1');
  }

  /** For messages: what has come until now may end within a secret, and its beginning is not to be seen either. */
  hideUnfinished(data: Uint8Array): string {
    const hidden = Buffer.from(this.hideBytes(data)).toString();
    let cut = shortestSecret - 1;
    for (const value of this.secrets.values()) {
      for (let length = value.length - 1; length > cut; length--) {
        if (hidden.endsWith(value.slice(0, length))) cut = length;
      }
    }
    return cut < shortestSecret ? hidden : `${hidden.slice(0, -cut)}…`;
  }

  showBytes(data: string | Buffer): Buffer {
    return this.bytes(data, this.unsaid);
  }

  /** Puts all values back, to compare with what the caller writes. Must not be printed. */
  expected(data: string | Buffer): Buffer {
    return this.bytes(data, undefined);
  }

  private bytes(data: string | Buffer, without: ReadonlySet<string> | undefined): Buffer {
    if (typeof data === 'string') return Buffer.from(this.putBack(data, without), 'utf8');
    return Buffer.from(this.putBack(data.toString('latin1'), without), 'latin1');
  }

  hidePlan(text: PlanString): PlanString {
    if (typeof text === 'string') return this.hide(text);
    const hidden = this.hideBytes(planBytes(text));
    return typeof hidden === 'string' ? hidden : { base64: hidden.toString('base64') };
  }
}

type Rule = readonly [name: string, what: string | RegExp];
const isText = (rule: Rule): rule is readonly [string, string] => typeof rule[1] === 'string';
const isPattern = (rule: Rule): rule is readonly [string, RegExp] => types.isRegExp(rule[1]);

/** The placeholder of what a program reads from a descriptor. */
export const inputName = (fd: number): string => (fd === 0 ? 'secret:stdin' : `secret:fd.${fd}`);

/** Bytes as a string to search for. */
export function latin1OrText(chunks: readonly Uint8Array[]): string {
  const bytes = Buffer.concat(chunks);
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

/** What differs from machine to machine. */
interface Machine {
  readonly key: string;
  readonly pass: ReturnType<typeof paths>;
  readonly values: readonly (readonly [string, string])[];
  /** Names of directories that are `/` here: recordings have placeholders for them. */
  readonly roots: readonly string[];
}

/** Makes the redactor of each call. */
export class Redactor {
  private readonly userLiterals: Pass | undefined;
  private readonly redactLiterals: readonly (readonly [string, string])[];
  private readonly redactPatterns: readonly (readonly [string, RegExp])[];
  private readonly placeholderPatterns: readonly (readonly [string, RegExp])[];
  private readonly userValues: readonly (readonly [string, string])[];
  private readonly names: string;
  private machine: Machine;
  private search: readonly (readonly [string, string])[] = [];
  /** What secrets were met, for the verification. */
  readonly met = new Map<string, string>();
  private plain: Rules | undefined;
  private inherited: readonly (readonly [string, string])[] | undefined;

  constructor(private readonly options: RedactOptions) {
    const { redact, placeholders } = options;
    const numbered = redact.map((rule, index): Rule => [`redacted:${index + 1}`, rule]);
    this.redactLiterals = numbered.filter(isText);
    const global = (pattern: RegExp): RegExp => new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '') + 'g');
    this.redactPatterns = numbered.filter(isPattern).map(([name, pattern]) => [name, global(pattern)] as const);
    const own: Rule[] = Object.entries(placeholders);
    this.userValues = own.filter(isText);
    this.userLiterals = literals(this.userValues);
    this.placeholderPatterns = own.filter(isPattern).map(([name, pattern]) => [name, global(pattern)] as const);
    const userNames = own.map(([name]) => escaped(name));
    this.names = ['cwd', 'tmp', 'home', 'node', ...userNames].map((name) => `${name}(?::\\d+)?`).join('|');
    this.machine = { key: '', pass: undefined, values: [], roots: [] };
  }

  /** What differs from machine to machine without anybody's doing; a directory can change while tests run. */
  private machinePass(): void {
    const { TMPDIR, TMP, TEMP, HOME, PATH = '' } = process.env;
    const key = [process.cwd(), TMPDIR, TMP, TEMP, HOME, PATH].join('\0');
    if (key === this.machine.key) return;
    this.plain = undefined;
    // Errors of a search say where it was. A single directory is a path as others are.
    this.search = PATH.includes(delimiter) ? [['env:PATH', PATH]] : [];
    const values: [string, string][] = [
      ['cwd', process.cwd()],
      ['tmp', tmpdir()],
      ['home', homedir()],
      ['node', process.execPath],
    ];
    const usable = values.filter(([name]) => !Object.hasOwn(this.options.placeholders, name));
    const hidden = usable.filter(([, value]) => value.length > 1);
    const roots = usable.filter(([, value]) => value === root).map(([name]) => name);
    this.machine = { key, pass: paths(hidden), values: usable, roots };
  }

  /** Names of placeholders that {@link settle} replaces, as of the last call. */
  get roots(): string {
    return this.machine.roots.join('|');
  }

  /** A text of a recording in the words that it would have here: without placeholders for what is `/`. */
  settle(text: string): string {
    const { roots, pass } = this.machine;
    if (roots.length === 0 || !text.includes('<')) return text;
    return text.replace(new RegExp(`<(?:${roots.join('|')})>([^<]*)`, 'gu'), (_match, rest: string) => {
      const here = rest.startsWith(root) ? rest : root + rest;
      return pass === undefined ? here : here.replace(pass.pattern, (path) => `<${pass.nameOf(path)}>`);
    });
  }

  /** Looks anew which variables of this process are secrets, which takes a while. */
  refresh(): void {
    this.plain = undefined;
    this.inherited = Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && this.isSensitive(name, value) ? [[name, value] as const] : [],
    );
  }

  private isSensitive(name: string, value: string): boolean {
    if (value.length < shortestSensitive || this.options.env.includes(name)) return false;
    return sensitiveName.test(name) || holdsLogin(value);
  }

  /** The values that must not be seen, each with its name: those of a plan, and those of this process. */
  private valuesOf(plan: LaunchPlan): Pick<Rules, 'secrets' | 'inherited'> {
    const secrets = secretsOf(plan);
    const withLogins = (placeholder: string, value: string): (readonly [string, string])[] => {
      const logins = loginsIn(placeholder, value).filter(([, part]) => part.length >= shortestSensitive);
      return [[placeholder, value], ...logins];
    };
    const own = new Set<string>();
    for (const [name, given] of plan.env === 'inherit' ? [] : plan.env) {
      const value = searched(given);
      if (plan.secret.env.includes(name) || !this.isSensitive(name, value)) continue;
      secrets.push(...withLogins(`env:${name}`, value));
      own.add(name);
    }
    // A program that was not given a variable may have its value in an argument or in its input.
    if (this.inherited === undefined) this.refresh();
    const inherited = (this.inherited ?? []).flatMap(([name, value]) =>
      withLogins(own.has(name) ? `env:${name}.inherited` : `env:${name}`, value),
    );
    for (const secret of [...secrets, ...inherited]) {
      const [name, value] = secret;
      if (isTelling(secret) && !this.met.has(value)) this.met.set(value, name);
    }
    return { secrets, inherited };
  }

  /** For one call: what it alone knows is put back in its output only. */
  forCall(plan: LaunchPlan): CallRedactor {
    this.machinePass();
    const { argv, env, inputs } = plan.secret;
    const stateless = this.redactPatterns.length === 0 && this.placeholderPatterns.length === 0;
    const alike = stateless && argv.length + env.length === 0 && inputs === undefined && plan.env === 'inherit';
    const rules = alike ? (this.plain ??= this.rulesOf(plan)) : this.rulesOf(plan);
    return new CallRedactor(rules, this.met);
  }

  private rulesOf(plan: LaunchPlan): Rules {
    const { secrets: own, inherited } = this.valuesOf(plan);
    const others = [
      ...this.redactPatterns.map(([name, pattern]) => counted(name, pattern)),
      literals(this.search),
      this.userLiterals,
      this.machine.pass,
      ...this.placeholderPatterns.map(([name, pattern]) => counted(name, pattern)),
    ].filter((pass) => pass !== undefined);
    const secrets = [...own, ...inherited, ...this.redactLiterals];
    const known = [...own, ...this.redactLiterals, ...this.search, ...this.userValues, ...this.machine.values];
    const token = new RegExp(`<(?:<|secret:[^<>]+|env:[^<>]+|redacted:[\\w:]+|${this.names})>`, 'gu');
    return { secrets, others, known, inherited, token, passes: passesOf(secrets, others) };
  }

  /** What must not be in a text that was written, and is. */
  leak(text: string): string | undefined {
    for (const [value, name] of this.met) {
      // Bytes are looked at as Latin-1.
      if (text.includes(value) || text.includes(Buffer.from(value).toString('latin1'))) return `the value of ${name}`;
    }
    // Placeholders are what the rules have left.
    const rest = text.replace(/<(?:secret|env|redacted):[^<>]*>/g, '\n');
    for (const rule of this.options.redact) {
      if (typeof rule === 'string' ? rest.includes(rule) : rest.search(rule) >= 0)
        return `what redact: ${String(rule)} says`;
    }
    return tokenShapes.find(([, shape]) => shape.test(rest))?.[0];
  }
}

/** Distinct matches of a pattern are numbered in the order in which they come up. */
function counted(name: string, pattern: RegExp): Pass {
  const numbers = new Map<string, number>();
  return {
    find: (text) => text.matchAll(pattern),
    nameOf: (match) => {
      let number = numbers.get(match);
      if (number === undefined) numbers.set(match, (number = numbers.size + 1));
      return `${name}:${number}`;
    },
  };
}

/** What is a secret by its looks. Programs write what they like, so none of these may look twice at the same text. */
const tokenShapes: readonly (readonly [string, RegExp])[] = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a token of GitHub', /\bgh[pousr]_[A-Za-z0-9]{36}|\bgithub_pat_\w{50}/],
  ['a token of GitLab', /\bglpat-[\w-]{20}/],
  ['a key of AWS', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['a token of npm', /\bnpm_[A-Za-z0-9]{36}/],
  ['a token of Slack', /\bxox[abprs]-[A-Za-z0-9-]{10}/],
  // From its first dot: before that `eyJ` may come again and again.
  ['a JSON web token', /\.(?<=\beyJ[\w-]{10,}\.)eyJ[\w-]{10,}\.[\w-]{10}/],
];
