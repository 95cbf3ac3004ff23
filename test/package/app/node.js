// What is bundled for Node: the sample, and the parts that take Node's own modules. `node node.js training.js`.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as torch from 'wasmgrad';
import * as distributed from 'wasmgrad/distributed';
import * as io from 'wasmgrad/io';
import { Linear } from 'wasmgrad/nn';
import { serve } from 'wasmgrad/serve';
import { trainInWorker } from 'wasmgrad/training';
import { MNIST } from 'wasmgrad/vision';
import { check } from './check.js';

async function run() {
  const inWorker = await trainInWorker(pathToFileURL(process.argv[2])).result;
  const answer = await check();
  await io.save({ weight: torch.ones(2) }, 'saved.safetensors');
  const { weight } = await io.load('saved.safetensors');
  fs.rmSync('saved.safetensors');
  const server = await serve({ folder: '.', port: 0 });
  await server.close();
  await distributed.initProcessGroup();
  const parts = {
    oneLibrary: Linear === torch.nn.Linear && weight instanceof torch.Tensor,
    saved: String(weight),
    summed: String(distributed.allReduce(torch.ones(2))),
    served: server.url.startsWith('http://localhost:'),
    missing: await MNIST({ root: 'nowhere', download: false }).catch(String),
    webgpu: await torch.webgpu().catch(String),
  };
  console.log(JSON.stringify({ ...answer, inWorker, parts }));
}

run();
