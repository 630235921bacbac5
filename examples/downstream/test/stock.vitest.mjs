import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import { openRecording } from '@vircommand/mock';
import stock from '../src/stock.js';

const { add, count, watch } = stock;
let recording;

beforeAll(async () => {
  recording = await openRecording({ file: fileURLToPath(new URL('recordings/stock.json', import.meta.url)) });
  recording.install();
});

afterAll(() => recording.finish());

test('counts articles', async () => {
  expect(await count('bolts')).toBe(1200);
  expect(await count('nuts')).toBe(7);
  expect(await count('unicorns')).toBeUndefined();
});

test('imports', async () => {
  expect(await add(['washers', 'hinges', 'screws'])).toBe('imported 3 articles');
});

test('watches until it is told to stop', async () => {
  expect(await watch(() => Promise.resolve())).toBe('watching\nstopped\n');
});
