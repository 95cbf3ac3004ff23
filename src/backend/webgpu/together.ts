/**
 * Calls that come one after the other and do not depend on each other (the steps of an optimiser over many parameters)
 * run as one kernel, as far as the device binds so many buffers.
 */
import type { Cell } from './cells.ts';
import type { BoundArray, Call, Part } from './context.ts';

const WORKGROUP = 64;

interface Resolved {
  readonly part: Part;
  readonly bindings: readonly (BoundArray & { readonly cell: Cell })[];
}

export interface TogetherDevice {
  readonly maxBuffers: number;
  run(call: Call): void;
  cellsOf(bindings: readonly BoundArray[]): Cell[];
}

export class Together {
  readonly #gpu: TogetherDevice;
  #parts: Resolved[] = [];
  #bindings = 0;

  constructor(gpu: TogetherDevice) {
    this.#gpu = gpu;
  }

  add(part: Part): void {
    // Whatever must be computed for it comes before all parts that wait.
    const cells = this.#gpu.cellsOf(part.bindings);
    this.finish(cells);
    if (this.#bindings + cells.length > this.#gpu.maxBuffers) this.finish();
    const bindings = part.bindings.map(({ name, type, writes }, i) => ({
      name,
      type,
      writes,
      cell: cells[i],
    }));
    for (const cell of cells) cell.hold();
    this.#parts.push({ part, bindings });
    this.#bindings += cells.length;
  }

  /** Runs what waits, if any of it mentions one of the cells. */
  finish(cells: readonly Cell[] | null = null): void {
    if (this.#parts.length === 0) return;
    const mentioned = this.#parts.some((p) =>
      p.bindings.some((b) => cells?.some((cell) => cell.block === b.cell.block)),
    );
    if (cells !== null && !mentioned) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#bindings = 0;
    const rows: (readonly [string, number])[] = [];
    let begin = 0;
    parts.forEach(({ part }, k) => {
      const end = begin + Math.ceil(part.threads / WORKGROUP) * WORKGROUP;
      rows.push([`begin${k}: u32`, begin], [`count${k}: u32`, part.threads]);
      rows.push(...part.params(`q${k}`));
      begin = end;
    });
    this.#gpu.run({
      key: parts.map(({ part }) => part.key).join(' & '),
      bindings: parts.flatMap(({ bindings }, k) => bindings.map((b) => ({ ...b, name: `q${k}${b.name}` }))),
      params: rows,
      threads: begin,
      workgroup: WORKGROUP,
      declarations: () =>
        parts
          .map(
            ({ part }, k) =>
              `fn part${k}(i: u32) {\nif (i >= P.count${k}) { return; }\n${part.body(`q${k}`)}\n}`,
          )
          .join('\n'),
      body: () =>
        parts
          .map((_, k) =>
            k + 1 < parts.length
              ? `if (i < P.begin${k + 1}) { part${k}(i - P.begin${k}); return; }`
              : `part${k}(i - P.begin${k});`,
          )
          .join('\n'),
    });
    for (const { bindings } of parts) for (const { cell } of bindings) cell.letGo();
  }
}
