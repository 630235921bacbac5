/** Text and bytes on their way to a program: what may be sent, and the JSON form of what is no UTF-8. */
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { types } from 'node:util';
import type { PlanString } from './contract';
import { describe } from './plain';
import { MASK, isSecret, revealSecret } from './secret';

/** One string for the program, and whether it may be shown. */
export interface Value {
  readonly content: PlanString;
  /** What to show instead, for a secret. */
  readonly mask: string | undefined;
  /** Of what was put together: the parts that are secrets. */
  readonly parts?: readonly PlanString[];
}

/** Why something cannot be sent to a program. */
export class Unsendable {
  constructor(readonly reason: string) {}
}

/** Reads a value that a caller gave; never throws. */
export function toValue(given: unknown): Value | Unsendable {
  try {
    return readValue(given);
  } catch (error) {
    return unreadable(error);
  }
}

/** A proxy, or memory that was given away. */
export const unreadable = (error: unknown): Unsendable => new Unsendable(`cannot be read: ${String(error)}`);

function readValue(given: unknown): Value | Unsendable {
  if (typeof given === 'string') return textValue(given, undefined);
  if (isSecret(given)) {
    const revealed = revealSecret(given);
    return typeof revealed === 'string' ? textValue(revealed, MASK) : bytesValue(revealed, MASK);
  }
  if (types.isUint8Array(given)) return bytesValue(given, undefined);
  return new Unsendable(
    `must be a string, a Uint8Array or a secret(), not ${describe(given)}${typeof given === 'number' ? ' (use String() or addArgFormat())' : ''}`,
  );
}

function textValue(text: string, mask: string | undefined): Value | Unsendable {
  if (text.includes('\0')) return new Unsendable('contains a NUL byte, which no program can receive');
  if (!text.isWellFormed()) return new Unsendable('contains a lone surrogate, which UTF-8 cannot express; pass bytes');
  return { content: text, mask };
}

function bytesValue(bytes: Uint8Array, mask: string | undefined): Value | Unsendable {
  if (bytes.includes(0)) return new Unsendable('contains a NUL byte, which no program can receive');
  return { content: planString(bytes), mask };
}

/** The JSON form of bytes. */
export function planString(bytes: Uint8Array): PlanString {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(view) ? view.toString('utf8') : Object.freeze({ base64: view.toString('base64') });
}

/** The bytes of a plan's string. */
export function planBytes(text: PlanString): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'utf8') : Buffer.from(text.base64, 'base64');
}

/** As a caller gave it: text, or bytes where they are no text; secrets masked. */
export function publicForm({ content, mask }: Value): string | Uint8Array {
  if (mask !== undefined) return mask;
  return typeof content === 'string' ? content : Uint8Array.from(planBytes(content));
}

/** Puts values together; the whole is a secret if one part is, and shows the parts that are none. */
export function joinValues(parts: readonly (string | Value)[]): Value {
  const values = parts.map((part) => (typeof part === 'string' ? { content: part, mask: undefined } : part));
  const texts = values.flatMap(({ content }) => (typeof content === 'string' ? [content] : []));
  const content =
    texts.length === values.length
      ? texts.join('')
      : planString(Buffer.concat(values.map(({ content }) => planBytes(content))));
  const secrets = values.filter((value) => value.mask !== undefined).map((value) => value.content);
  if (secrets.length === 0) return { content, mask: undefined };
  const mask = values.map(({ content, mask }) => mask ?? planBytes(content).toString()).join('');
  return { content, mask, parts: Object.freeze(secrets) };
}

/** What a stream gave, as bytes: one that a polluted prototype or a backend told to decode gives text. */
export function chunkBytes(chunk: Uint8Array | string, { readableEncoding }: Readable): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk, readableEncoding ?? 'utf8');
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}
