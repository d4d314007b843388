// Keeps the page working without a connection: each file is asked of the server first and taken from this browser's store where it does not
// answer. Nothing else passes here. It also adds the headers that threads in wasm need, for servers that do not send them.
const store = 'prognet-studio';

/** The headers of prognet studio's own server (src/cli/serve-files.ts). */
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
};

/** The large files are kept when they are first used: WebGPU may never be. */
const later = /webgpu|asyncify/;

self.addEventListener('install', (event) => {
  const keep = async () => {
    const cache = await caches.open(store);
    const { files } = await (await fetch('studio.json', { cache: 'no-cache' })).json();
    await cache.addAll(['./', 'studio.json', ...files.filter((name) => !later.test(name))]);
    await self.skipWaiting();
  };
  event.waitUntil(keep());
});

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

function isolated(response) {
  if (response.type !== 'basic' && response.type !== 'default') return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(isolation)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}

async function answer(request) {
  const cache = await caches.open(store);
  try {
    const response = await fetch(request);
    // A full disk must not cost the answer.
    if (response.status === 200) await cache.put(request, response.clone()).catch(() => {});
    return isolated(response);
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (kept === undefined) throw error;
    return isolated(kept);
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && new URL(request.url).origin === self.location.origin) event.respondWith(answer(request));
});
