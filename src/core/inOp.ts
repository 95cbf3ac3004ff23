/** Names on errors: an op made of others speaks for them. */
import { WasmgradError } from './errors.ts';

const letters = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Puts `op` in the place of the name with which a message begins, unless it is there already. */
function tellAs(op: string, error: WasmgradError): void {
  const before = error.message;
  const [head] = before.split(':', 1);
  if (letters(head).includes(letters(op))) return;
  error.message = `${op}: ${before.replace(/^[a-zA-Z_][\w.]*(\(\))?: /, '')}`;
  // The stack begins with the message; it is what consoles show.
  error.stack = error.stack?.replace(before, () => error.message);
}

/** The ops that are running, outermost first; names beyond `depth` are of ops that are over. */
const running: string[] = [];
let depth = 0;

/** Runs an op that is made of others: what they throw is told under its name. */
export function inOp<R>(op: string, body: () => R): R {
  running[depth++] = op;
  try {
    return body();
  } catch (error) {
    if (error instanceof WasmgradError) tellAs(op, error);
    throw error;
  } finally {
    depth--;
  }
}

/** For an error that comes when the ops that run now are over: what they would have made of it. */
export function toldLater<V>(error: (value: V) => Error): (value: V) => Error {
  const ops = running.slice(0, depth).reverse();
  return (value) => {
    const told = error(value);
    if (told instanceof WasmgradError) for (const op of ops) tellAs(op, told);
    return told;
  };
}
