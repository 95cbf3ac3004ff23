/** The same in a page of a browser that was started with `--js-flags=--expose-gc --enable-precise-memory-info`. */
import { type SoakRequest, soak } from './soak.ts';

const scope = globalThis as unknown as {
  gc: () => void;
  soak: (request: SoakRequest) => ReturnType<typeof soak>;
};
/** Every reading is a new object. */
const clock = performance as unknown as { readonly memory: { usedJSHeapSize: number } };
scope.soak = (request) =>
  soak(request, { processBytes: () => clock.memory.usedJSHeapSize, collect: () => scope.gc() });
