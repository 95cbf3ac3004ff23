/**
 * Cross-origin isolation, which threads need, for sites whose server cannot send headers (GitHub Pages, for one).
 *
 * Copy this file beside your pages and load it before anything else: <script src="isolate.js"></script>
 * It installs itself as a service worker that adds the two headers, and reloads the page once. It never reloads more
 * than twice: where isolation cannot be had, the page works without, and `backendInfo()` tells why.
 */
(() => {
  /** How pages of other origins are embedded; the second way is for browsers that do not know the first. */
  const POLICIES = ['credentialless', 'require-corp'];
  const ATTEMPTS = 'wasmgrad isolate.js: attempts';

  /** In the service worker: documents and workers get the headers; everything else goes its usual way. */
  function serveWithHeaders() {
    const worker = /** @type {any} */ (globalThis);
    const policy = new URL(worker.location.href).searchParams.get('coep') ?? POLICIES[0];
    worker.addEventListener('install', () => worker.skipWaiting());
    worker.addEventListener('activate', (/** @type {any} */ event) =>
      event.waitUntil(worker.clients.claim()),
    );
    worker.addEventListener('fetch', (/** @type {any} */ event) => {
      const { request } = event;
      const isWorkerScript = request.destination === 'worker' || request.destination === 'sharedworker';
      if (request.mode === 'navigate' || isWorkerScript) event.respondWith(withHeaders(request, policy));
    });
  }

  /** @param {Request} request @param {string} policy */
  async function withHeaders(request, policy) {
    const response = await fetch(request);
    if (response.status === 0) return response; // a redirect, which the browser follows itself
    const headers = new Headers(response.headers);
    headers.set('Cross-Origin-Opener-Policy', 'same-origin');
    headers.set('Cross-Origin-Embedder-Policy', policy);
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers });
  }

  /** For `backendInfo()` and the console. */
  function explain(/** @type {string} */ reason) {
    Object.assign(globalThis, { wasmgradIsolation: reason });
    console.info(`isolate.js: ${reason}`);
  }

  async function isolatePage(/** @type {HTMLScriptElement | null} */ script) {
    if (globalThis.crossOriginIsolated) return sessionStorage.removeItem(ATTEMPTS);
    if (!globalThis.isSecureContext) return explain('the page is neither served by https nor from localhost');
    if (window.self !== window.top)
      return explain('the page is in a frame; the page around it must be isolated');
    if (!navigator.serviceWorker) return explain('this browser lets this page have no service worker');
    if (!script?.src) return explain('load it by <script src="…">, not as a module');
    const policies = script.dataset.coep ? [script.dataset.coep] : POLICIES;
    const attempt = Number(sessionStorage.getItem(ATTEMPTS) ?? 0);
    if (attempt >= policies.length) return explain('this browser did not isolate the page');
    sessionStorage.setItem(ATTEMPTS, String(attempt + 1)); // before the reload: it is what ends a loop
    const url = new URL(script.src);
    url.searchParams.set('coep', policies[attempt]);
    await navigator.serviceWorker.register(url);
    const { active } = await navigator.serviceWorker.ready;
    if (active?.scriptURL !== url.href) {
      await new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve));
    }
    location.reload();
  }

  if (typeof window === 'undefined') return serveWithHeaders();
  const script = /** @type {HTMLScriptElement | null} */ (document.currentScript);
  isolatePage(script).catch((error) => explain(String(error)));
})();
