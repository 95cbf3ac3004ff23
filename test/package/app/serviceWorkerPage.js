async function run() {
  const { promise, resolve } = Promise.withResolvers();
  navigator.serviceWorker.addEventListener('message', ({ data }) => resolve(data));
  await navigator.serviceWorker.register('/serviceWorker.bundle.js', { type: 'module' });
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage('result');
  return promise;
}

globalThis.result = run().catch((error) => ({ error: String(error) }));
