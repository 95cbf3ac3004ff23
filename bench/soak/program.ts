/** A soak in a process of its own: takes the request as JSON, prints what was observed as JSON. */
import v8 from 'node:v8';
import vm from 'node:vm';
import { allowRelaxedSimd } from '../node/relaxedSimd.ts';
import { soak } from './soak.ts';

allowRelaxedSimd();
v8.setFlagsFromString('--expose-gc');
const collect: () => void = vm.runInNewContext('gc');
const place = { processBytes: () => process.memoryUsage.rss(), collect };
console.log(JSON.stringify(await soak(JSON.parse(process.argv[2]), place)));
