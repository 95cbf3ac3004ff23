/**
 * Chromium by its own protocol (https://chromedevtools.github.io/devtools-protocol/), for what Playwright prevents: it
 * keeps every page awake and makes it believe that it is seen.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { message: string };
}

/** One tab. */
export class Tab {
  readonly id: string;
  readonly send: (method: string, params?: object) => Promise<Record<string, unknown>>;

  constructor(id: string, send: Tab['send']) {
    this.id = id;
    this.send = send;
  }

  /** The value of an expression, waited for if it is a promise. @throws what it throws */
  async evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', options)) as {
      result: { value: T; description?: string };
      exceptionDetails?: object;
    };
    if (exceptionDetails) throw new Error(result.description ?? JSON.stringify(exceptionDetails));
    return result.value;
  }
}

export class Chromium {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #count = 0;

  constructor(executable: string, profile: string) {
    const flags = ['--headless=new', '--no-sandbox', '--no-first-run', '--disable-background-networking'];
    this.#process = spawn(executable, [...flags, `--user-data-dir=${profile}`, '--remote-debugging-pipe'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    let rest = '';
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (part: string) => {
      const messages = (rest + part).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) {
        const answer = JSON.parse(message) as Answer;
        if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer);
      }
    });
  }

  #send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        this.#waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result ?? {});
      });
    });
  }

  /** A new tab of the one window, in front of the others. */
  async open(url: string): Promise<Tab> {
    const { targetId } = (await this.#send('Target.createTarget', { url })) as { targetId: string };
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    const tab = new Tab(targetId, (method, params) => this.#send(method, params, sessionId as string));
    await this.show(tab);
    return tab;
  }
  async show({ id }: Tab): Promise<void> {
    await this.#send('Target.activateTarget', { targetId: id });
  }
  async closeTab({ id }: Tab): Promise<void> {
    await this.#send('Target.closeTarget', { targetId: id });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#send('Browser.close').catch(() => {});
    await ended;
  }
}
