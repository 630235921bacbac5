/** The setters of standard streams and other descriptors. */
import { describe, isCount, isFd, isPlain, ownProperty } from './plain';
import { ArgumentSetters } from './set-arguments';
import type { StreamChoice } from './spec';

type StreamName = 'stdin' | 'stdout' | 'stderr';

const outputs = "'null', 'inherit', 'pipe', 'text', 'bytes', ";
/** What the options form takes, for messages. */
const accepted: Readonly<Record<StreamName, string>> = {
  stdin: "'null', 'inherit', 'pipe', a descriptor, { file } or { input }",
  stdout: `${outputs}a descriptor or { file, append }`,
  stderr: `${outputs}'stdout', a descriptor or { file, append }`,
};

/** What the program's descriptors lead to. */
export class StreamSetters extends ArgumentSetters {
  private setStream(call: string, key: StreamName, choice: StreamChoice): this {
    if (this.draft[key] !== undefined) return this.note(call, `${key} is already set; it can be set once`);
    this.draft[key] = choice;
    return this;
  }

  private setStreamFd(call: string, key: StreamName, given: unknown): this {
    if (given === 'pipe') return this.setStream(call, key, { kind: 'pipe' });
    if (key === 'stderr' && given === 'stdout') return this.setStream(call, key, { kind: 'same-as-stdout' });
    if (isFd(given)) return this.setStream(call, key, { kind: 'fd', fd: given });
    const also = key === 'stderr' ? `'pipe' or 'stdout'` : `'pipe'`;
    return this.note(call, `takes a descriptor, something with an fd, or ${also}, not ${describe(given)}`);
  }

  private setStreamFile(call: string, key: StreamName, given: unknown, append: unknown): this {
    const path = this.text(call, 'path', given);
    if (path === undefined) return this;
    if (append !== undefined && typeof append !== 'boolean') return this.note(call, 'append must be a boolean');
    return this.setStream(call, key, { kind: 'file', path, append: append === true });
  }

  setInputBuffer(data: unknown): this {
    return this.setInput('setInputBuffer', data);
  }

  private setInput(call: string, data: unknown): this {
    const input = this.data(call, data);
    return input === undefined ? this : this.setStream(call, 'stdin', { kind: 'input', ...input });
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
    return this.setOutputTo('setOutputFile', 'stdout', path, options);
  }

  setErrorFile(path: unknown, options?: unknown): this {
    return this.setOutputTo('setErrorFile', 'stderr', path, options);
  }

  private setOutputTo(call: string, key: 'stdout' | 'stderr', path: unknown, options: unknown): this {
    if (!this.knows(call, options, ['append'])) return this;
    return this.setStreamFile(call, key, path, ownProperty(options, 'append'));
  }

  /** The options form: any of its values for a stream. */
  protected applyStream(key: StreamName, given: unknown): this {
    if (given === 'null') return this.setStream(key, key, { kind: 'null' });
    if (given === 'inherit') {
      const fd = key === 'stdin' ? 0 : key === 'stdout' ? 1 : 2;
      return this.setStream(key, key, { kind: 'fd', fd });
    }
    if (key !== 'stdin' && (given === 'text' || given === 'bytes')) {
      return this.setStream(key, key, { kind: 'capture', as: given });
    }
    const file = ownProperty(given, 'file');
    const input = key === 'stdin' ? ownProperty(given, 'input') : undefined;
    const isNamed = file !== undefined || input !== undefined;
    if (!isNamed && (given === 'pipe' || (key === 'stderr' && given === 'stdout') || isFd(given))) {
      return this.setStreamFd(key, key, given);
    }
    // Of another object nobody knows what its properties mean.
    const isRead =
      isNamed || (typeof given === 'object' && given !== null && isPlain(given) && !Object.hasOwn(given, 'fd'));
    if (isRead && !this.knows(key, given, key === 'stdin' ? ['file', 'input'] : ['file', 'append'])) return this;
    if (file !== undefined && input !== undefined) return this.note(key, 'give file or input, not both');
    if (file !== undefined) return this.setStreamFile(key, key, file, ownProperty(given, 'append'));
    if (input !== undefined) return this.setInput(key, input);
    return this.note(key, `must be ${accepted[key]}, not ${describe(given)}`);
  }

  doAsyncIo(): this {
    this.draft.asyncIo = true;
    return this;
  }

  nonblockingFds(): this {
    this.draft.nonblockingFds = true;
    return this;
  }

  passFd(fd: unknown, options?: unknown): this {
    if (!isFd(fd)) return this.note('passFd', `takes a descriptor, not ${describe(fd)}`);
    const as = ownProperty(options, 'as');
    const closeInParent = ownProperty(options, 'closeInParent');
    const number = isCount(as, 0x7fffffff) ? as : undefined;
    // Taken even where something else is wrong: the promise to close it holds all the same.
    this.draft.passFds.push({ fd, as: number, closeInParent: closeInParent === true });
    // In the options form the descriptor is a property beside the others.
    const known = ['as', 'closeInParent', ...(this.via === undefined ? [] : ['fd'])];
    if (!this.knows('passFd', options, known)) return this;
    if (closeInParent !== undefined && typeof closeInParent !== 'boolean') {
      return this.note('passFd', 'closeInParent must be a boolean');
    }
    if (as !== undefined && number === undefined) {
      return this.note('passFd', `as must be a descriptor number, not ${describe(as)}`);
    }
    const target = number ?? (typeof fd === 'number' ? fd : undefined);
    return target !== undefined && target < 3
      ? this.note('passFd', `${target} is stdin, stdout or stderr; use setInputFd() and the like, or 'as'`)
      : this;
  }

  setSendBuffer(fd: unknown, data: unknown): this {
    if (!isCount(fd, 0x7fffffff) || fd < 3) {
      return this.note('setSendBuffer', `takes a number in the program, 3 or more, not ${describe(fd)}`);
    }
    const input = this.data('setSendBuffer', data);
    if (input !== undefined) this.draft.sendBuffers.push({ fd, ...input });
    return this;
  }
}
