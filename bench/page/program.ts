/** What program.html does: one step, or epochs, of the tutorial; then it tells the page around it. */
import * as torch from 'wasmgrad';
import { epoch, loader, withModules } from '../suite/tutorial.ts';
import { pageHost } from './host.ts';

const parameters = new URLSearchParams(location.search);

function step(): number {
  torch.manualSeed(1);
  const images = torch.rand(128, 1, 28, 28);
  const labels = torch.randint(0, 10, [128]);
  return withModules()(images, labels).item();
}

/** Megabytes of tensors, at most, up to each epoch. */
async function epochs(): Promise<number[]> {
  const threads = Number(parameters.get('threads'));
  await torch.init({ threads });
  const tiny = parameters.get('tiny') === 'true';
  const { batches } = await loader({ host: pageHost(), tiny, device: 'cpu', threads });
  const train = withModules();
  const found: number[] = [];
  for (let e = 0; e < Number(parameters.get('epochs')); e++) {
    epoch(batches, train);
    found.push(torch.memoryStats().peakBytes / 1e6);
  }
  return found;
}

try {
  parent.postMessage(parameters.get('run') === 'epochs' ? await epochs() : step(), '*');
} catch (error) {
  parent.postMessage({ error: String(error) }, '*');
}
