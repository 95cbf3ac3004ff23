/**
 * Which classes of modules there are: a profiler changes their `forward` while it runs, so that modules pay nothing
 * while none does. Weak, because programs make classes inside functions, too.
 */

type ModuleClass = abstract new (...args: never[]) => object;

const known = new WeakSet<ModuleClass>();
let classes: WeakRef<ModuleClass>[] = [];
/** As many as there were, alive, when the dead were last left out. */
let alive = 64;
let observer: ((found: ModuleClass) => void) | null = null;

/** Notes the class of a new module. */
export function noteModuleClass(found: ModuleClass): void {
  if (known.has(found)) return;
  known.add(found);
  if (classes.length >= 2 * alive) {
    classes = classes.filter((one) => one.deref() !== undefined);
    alive = Math.max(64, classes.length);
  }
  classes.push(new WeakRef(found));
  observer?.(found);
}

/** Calls `observe` with every class of which there were modules, and with new ones until the result is called. */
export function observeModuleClasses(observe: (found: ModuleClass) => void): () => void {
  observer = observe;
  for (const one of classes) {
    const found = one.deref();
    if (found) observe(found);
  }
  return () => {
    observer = null;
  };
}
