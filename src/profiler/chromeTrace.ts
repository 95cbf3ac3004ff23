/**
 * The events of a profile in the Trace Event Format, which Perfetto (ui.perfetto.dev), chrome://tracing and the
 * performance panel of browsers open. https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
import type { SpanEvent, SpanKind } from './spans.ts';

const PROCESS = 1;
const MAIN = 1;
/** Events are written in pieces of this many. */
const PIECE = 1000;

/** Categories, which viewers can filter by. */
const CATEGORIES: Readonly<Record<SpanKind, string>> = {
  kernel: 'kernel',
  module: 'module',
  walk: 'backward',
  backward: 'backward',
  optimizer: 'optimizer',
  data: 'data',
  user: 'user_annotation',
  async: 'wait',
};

/** Digits that viewers can use: nanoseconds. */
const rounded = (microseconds: number): number => Math.round(microseconds * 1000) / 1000;

function argumentsOf({ shapes, done, backward, module, kind, duration }: SpanEvent): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  if (shapes) args['Input Shapes'] = shapes;
  if (module) args.Module = module;
  if (kind === 'kernel' || kind === 'module') args.Pass = backward ? 'backward' : 'forward';
  if (!done) return args;
  if (done.bytes > 0) args.Bytes = done.bytes;
  if (done.allocatedBytes > 0) args['CPU Mem'] = done.allocatedBytes;
  if (done.flops > 0) args['GFLOP/s'] = rounded(done.flops / duration / 1e3);
  if (done.workersTime > 0) args.Workers = `${Math.round((100 * done.workersTime) / duration)}%`;
  return args;
}

function* entriesOf(events: readonly SpanEvent[], begun: number): Generator<object> {
  const of = { pid: PROCESS, tid: MAIN };
  yield { ph: 'M', name: 'process_name', ...of, args: { name: 'wasmgrad' } };
  yield { ph: 'M', name: 'thread_name', ...of, args: { name: 'calling thread' } };
  for (const [id, event] of events.entries()) {
    const { name, kind, duration } = event;
    const common = { name, cat: CATEGORIES[kind], ...of };
    const ts = rounded(event.start - begun);
    if (kind === 'async') {
      yield { ph: 'b', ...common, id, ts };
      yield { ph: 'e', ...common, id, ts: rounded(event.start - begun + duration) };
    } else yield { ph: 'X', ...common, ts, dur: rounded(duration), args: argumentsOf(event) };
  }
}

/** The file in pieces. */
export function* traceText(events: readonly SpanEvent[], begun: number, dropped: number): Generator<string> {
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify({ dropped })},"traceEvents":[\n`;
  let piece: string[] = [];
  let comma = '';
  for (const entry of entriesOf(events, begun)) {
    piece.push(comma + JSON.stringify(entry));
    comma = ',\n';
    if (piece.length < PIECE) continue;
    yield piece.join('');
    piece = [];
  }
  yield `${piece.join('')}\n]}\n`;
}
