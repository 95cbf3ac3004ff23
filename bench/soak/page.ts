/** The same in a page of a browser that was started with `--js-flags=--expose-gc --enable-precise-memory-info`. */
import { type SoakRequest, soak } from './soak.ts';

const scope = globalThis as unknown as {
  gc: () => void;
  soak: (request: SoakRequest, memoryURL: string) => ReturnType<typeof soak>;
};
/** Every reading is a new object. */
const clock = performance as unknown as {
  readonly memory: { usedJSHeapSize: number };
};

/** A page cannot see its process: asks whoever started it, at once, since a synchronous loop cannot wait. */
function processBytes(memoryURL: string): number {
  const request = new XMLHttpRequest();
  request.open('GET', memoryURL, false);
  request.send();
  if (request.status !== 200) throw new Error(`${memoryURL} answered ${request.status}`);
  return Number(request.responseText);
}

scope.soak = (request, memoryURL) =>
  soak(request, {
    scriptBytes: () => clock.memory.usedJSHeapSize,
    processBytes: () => processBytes(memoryURL),
    drop: () => {},
    collect: () => scope.gc(),
  });
