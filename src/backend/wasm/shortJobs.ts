/**
 * Which jobs are shared out that repay only workers which are awake. Where others have the cores such jobs lose the most, so
 * they are watched: as long as many of them are held up they are done alone.
 */

/** Several times what a short job takes on one thread: it was held up. */
const HELD_UP_MS = 0.2;
/** Of so much time in short jobs so large a part may be held up; beyond it they are done alone, longer from time to time. */
const WATCH_MS = 10;
const HELD_UP_SHARE = 0.25;
const LEAST_ALONE_MS = 20;
const MOST_ALONE_MS = 320;
/** Wakes that jobs must have been worth before workers are started for them: some 10 ms of work. */
const STARTING_WAKES = 256;

export class ShortJobs {
  /** What jobs were worth, in wakes, that were done alone because workers slept. */
  #foregone = 0;
  /** What such jobs took since it was last judged, and those of them that were held up. */
  #tookMs = 0;
  #heldUpMs = 0;
  /** Until when such jobs are done alone, and for how long the next time. 0: nobody disturbs. */
  #aloneUntil = 0;
  #aloneMs = LEAST_ALONE_MS;

  /**
   * Whether workers that sleep, or that are yet to be started, are woken for a job that is worth `part` of a wake: once those
   * done alone were worth one. A loop of nothing else would be alone for ever.
   */
  worthWaking(part: number, started: boolean): boolean {
    this.#foregone += part;
    if (this.#foregone < (started ? 1 : STARTING_WAKES)) return false;
    this.#foregone = 0;
    return true;
  }

  /**
   * A job that took long was held up: somebody else had a core that a worker, or this thread beside a worker that looks for
   * work, was to run on. Now and then it happens on any machine, and while an engine optimises a program that has just
   * started.
   */
  note(tookMs: number): void {
    this.#tookMs += tookMs;
    if (tookMs > HELD_UP_MS) this.#heldUpMs += tookMs;
    if (this.#tookMs < WATCH_MS) return;
    if (this.#heldUpMs > HELD_UP_SHARE * this.#tookMs) {
      this.#aloneUntil = performance.now() + this.#aloneMs;
      this.#aloneMs = Math.min(2 * this.#aloneMs, MOST_ALONE_MS);
    } else this.#aloneMs = LEAST_ALONE_MS;
    this.#tookMs = 0;
    this.#heldUpMs = 0;
  }

  /** Others have the cores: for a while such jobs are done alone. */
  get areDisturbed(): boolean {
    if (this.#aloneUntil === 0) return false;
    if (performance.now() < this.#aloneUntil) return true;
    this.#aloneUntil = 0;
    return false;
  }
}
