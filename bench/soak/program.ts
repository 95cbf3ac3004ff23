/** A soak in a process of its own: takes the request as JSON, prints what was observed as JSON. */
import v8 from 'node:v8';
import vm from 'node:vm';
import * as torch from 'wasmgrad';
import { allowRelaxedSimd } from '../node/relaxedSimd.ts';
import { soak } from './soak.ts';

allowRelaxedSimd();
v8.setFlagsFromString('--expose-gc');
const collect: () => void = vm.runInNewContext('gc');

/** Tensors made, at most, for the library to look through its young storages. */
const MOST_TENSORS = 10_000;

/** Of each storage that was not yet found JavaScript's heap holds a record: now of few, now of thousands. */
function drop(): void {
  for (let i = 0; i < MOST_TENSORS; i++) {
    const before = torch.memoryStats().storages;
    torch.zeros(1);
    if (torch.memoryStats().storages < before) return;
  }
}

const place = {
  scriptBytes: () => process.memoryUsage().heapUsed,
  processBytes: () => process.memoryUsage.rss(),
  drop,
  collect,
};
console.log(JSON.stringify(await soak(JSON.parse(process.argv[2]), place)));
