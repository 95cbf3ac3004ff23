/** Training in a thread of Node. The module is bundled as a user's would be. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as errors from '../../src/core/errors.ts';
import { tensor } from '../../src/index.ts';
import { trainInWorker } from '../../src/training/index.ts';
import { receivedError, sendableError } from '../../src/training/protocol.ts';
import type trainingModule from '../fixtures/training.ts';
import { train } from '../fixtures/training.ts';
import { describeTraining } from '../support/trainingCases.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-training-'));
const module = path.join(folder, 'training.mjs');

beforeAll(async () => {
  const entryPoints = ['test/fixtures/training.ts'];
  await build({ entryPoints, outfile: module, bundle: true, format: 'esm', logLevel: 'silent' });
  fs.writeFileSync(path.join(folder, 'silent.mjs'), 'setInterval(() => {}, 1000);');
  fs.writeFileSync(path.join(folder, 'broken.mjs'), 'import "./nowhere.mjs";');
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

describeTraining(() => new Worker(module));

describe('an error on its way', () => {
  it.each(Object.entries(errors))('keeps the class %s', (_, Class) => {
    const received = receivedError(structuredClone(sendableError(new Class('three words here'))));
    expect(received.constructor).toBe(Class);
    expect(received.message).toBe('three words here');
  });

  const sent = (error: unknown) => receivedError(structuredClone(sendableError(error)));

  it.each([EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])(
    'keeps the class %o',
    (Class) => {
      const received = sent(new Class('no number'));
      expect(received.constructor).toBe(Class);
      expect(String(received)).toBe(`${Class.name}: no number`);
      expect(Object.keys(received)).toEqual([]);
    },
  );

  it('of another class keeps its name', () => {
    const own = Object.assign(new RangeError('no number'), { name: 'OwnError' });
    expect(String(sent(own))).toBe('OwnError: no number');
  });

  it('keeps what else it has, as far as that can be sent', () => {
    const cause = new TypeError('why');
    const thrown = new RangeError('mine', { cause });
    const received = sent(Object.assign(thrown, { code: 42, at: { step: 3 }, retry: () => {} }));
    expect(received).toMatchObject({ code: 42, at: { step: 3 } });
    expect(received.cause).toBeInstanceOf(TypeError);
    expect(received).not.toHaveProperty('retry');
    expect(sent('a text')).toMatchObject({ name: 'Error', message: 'a text' });
  });
});

describe('a message that cannot be read', () => {
  /** A worker that says what the test does. */
  function started() {
    let say: (event: { data: unknown }) => void = () => {};
    const worker = {
      postMessage: () => {},
      terminate: () => {},
      addEventListener: (type: string, listener: typeof say) => {
        if (type === 'message') say = listener;
      },
    };
    const run = trainInWorker(worker);
    say({ data: { wasmgrad: 'ready' } });
    return { run, say: (message: object) => say({ data: message }) };
  }
  const bad = { 'wasmgrad:tensor': 'float32', shape: [2, 3], data: new Float32Array(5) };

  it('fails the run if it is the result, and a request for the state if it is that', async () => {
    const { run, say } = started();
    const state = run.state();
    say({ wasmgrad: 'state', id: 0, value: bad });
    await expect(state).rejects.toThrow(/shape/);
    expect(run.status).toBe('running');
    say({ wasmgrad: 'done', value: bad });
    await expect(run.result).rejects.toThrow(/shape/);
    expect(run.status).toBe('failed');
  });
});

describe('a training module', () => {
  const url = (name: string) => pathToFileURL(path.join(folder, name));

  it('may be given by its address', async () => {
    const input = { seed: 1, steps: 1, x: tensor([[1, 2, 3]]) };
    const run = trainInWorker<typeof trainingModule>(url('training.mjs'), { input });
    expect((await run.result).step).toBe(1);
    await expect(trainInWorker(module, { input: { ...input, fail: 'at once' } }).result).rejects.toThrow(
      /made to fail/,
    );
  });

  it('that never calls training, cannot be loaded or is no address is named', async () => {
    await expect(trainInWorker(url('silent.mjs'), { startMs: 300 }).result).rejects.toThrow(
      /does it call training/,
    );
    await expect(trainInWorker(url('broken.mjs')).result).rejects.toThrow(/the worker failed.*nowhere/);
    expect(() => trainInWorker(7 as never)).toThrow(/expected a worker or a module's URL, but got 7/);
  });

  it('can be imported where there is no worker', () => {
    expect(train).toBeTypeOf('function');
  });
});
