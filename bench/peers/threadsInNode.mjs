// tfjs-wasm and jax-js start their threads from blob: addresses with the web's Worker, which Node has not. These stand-ins
// write the scripts to files. Nobody who just installs the libraries has them: figures on several threads in Node are
// what the libraries could do.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker as NodeWorker } from 'node:worker_threads';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'peers-'));
process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
let files = 0;

/** Replaces `Blob` and `createObjectURL`: a blob is a file with `before` in front, and its address is the path. */
export function blobsAsFiles(/** @type {string} */ ending, before = '') {
  class FileName extends String {
    constructor(/** @type {string[]} */ parts) {
      const file = path.join(folder, `${files++}${ending}`);
      fs.writeFileSync(file, before + parts.join(''));
      super(file);
    }
  }
  globalThis.Blob = /** @type {any} */ (FileName);
  URL.createObjectURL = (blob) => String(blob);
  URL.revokeObjectURL = () => {};
}

/** The web's `Worker` out of Node's: scripts find `self`, `onmessage` and `postMessage`. */
export class WebWorker {
  /** @type {((event: { data: unknown }) => void) | null} */
  onmessage = null;
  /** @type {((error: Error) => void) | null} */
  onerror = null;
  #worker;

  constructor(/** @type {string} */ file) {
    this.#worker = new NodeWorker(String(file));
    this.#worker.on('message', (data) => this.onmessage?.({ data }));
    this.#worker.on('error', (error) => this.onerror?.(error));
    this.#worker.unref();
  }

  postMessage(/** @type {unknown} */ message, /** @type {any} */ transfer) {
    this.#worker.postMessage(message, transfer);
  }

  terminate() {
    void this.#worker.terminate();
  }
}

export const WEB_NAMES = `
import { parentPort } from 'node:worker_threads';
globalThis.self = globalThis;
globalThis.postMessage = (message) => parentPort.postMessage(message);
parentPort.on('message', (data) => globalThis.onmessage({ data }));
`;
