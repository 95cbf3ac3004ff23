/** A program of its own: epochs of the tutorial. Prints the process's peak resident set, in bytes, after each of them. */
import * as torch from 'wasmgrad';
import { epoch, loader, withModules } from '../suite/tutorial.ts';
import { nodeHost } from './host.ts';
import { allowRelaxedSimd } from './relaxedSimd.ts';

allowRelaxedSimd();
const [, , epochs, threads, tiny] = process.argv;
const count = Number(threads);
await torch.init({ threads: count });
const { batches } = await loader({ host: nodeHost(), tiny: tiny === 'true', device: 'cpu', threads: count });
const step = withModules();
const bytes: number[] = [];
for (let e = 0; e < Number(epochs); e++) {
  epoch(batches, step);
  bytes.push(process.resourceUsage().maxRSS * 1024);
}
console.log(JSON.stringify(bytes));
