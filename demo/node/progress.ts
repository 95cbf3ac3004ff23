/** A line that shows how far an epoch is; silent where the output is not a terminal. */

const WIDTH = 24;
/** Redrawing more often is only work. */
const REDRAW_MS = 100;

const clock = (seconds: number): string => {
  const s = Math.max(0, Math.round(seconds));
  return s >= 60 ? `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}` : `${s} s`;
};

export class Progress {
  readonly #epochs: number;
  readonly #steps: number;
  #start = performance.now();
  /** Spent before this start, and the epochs done then. */
  #before = 0;
  #first = 0;
  #epoch = 0;
  #drawn = 0;
  #samples = 0;

  constructor(epochs: number, stepsPerEpoch: number) {
    this.#epochs = epochs;
    this.#steps = stepsPerEpoch;
  }

  /** Before the first step: a run that is continued has some behind it. */
  begin(epoch: number, seconds: number): void {
    this.#first = epoch;
    this.#epoch = epoch;
    this.#before = seconds;
    this.#start = performance.now();
  }

  /** After a training step. */
  step(step: number, samples: number, loss: number): void {
    this.#samples += samples;
    const now = performance.now();
    if (!process.stdout.isTTY || now - this.#drawn < REDRAW_MS) return;
    this.#drawn = now;
    const seconds = (now - this.#start) / 1000;
    const done = (this.#epoch - this.#first + (step + 1) / this.#steps) / (this.#epochs - this.#first);
    const filled = Math.round((WIDTH * (step + 1)) / this.#steps);
    const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
    const rate = Math.round(this.#samples / seconds).toLocaleString('en');
    const left = clock(seconds / done - seconds);
    process.stdout.write(
      `\r\x1b[K${bar} epoch ${this.#epoch + 1}/${this.#epochs}  loss ${loss.toFixed(4)}  ${rate} samples/s  ${left} left`,
    );
  }

  /** After an epoch: its line stays on the screen. */
  epoch(line: string): void {
    this.#epoch++;
    if (process.stdout.isTTY) process.stdout.write('\r\x1b[K');
    console.log(line);
  }

  get seconds(): number {
    return this.#before + (performance.now() - this.#start) / 1000;
  }
}
