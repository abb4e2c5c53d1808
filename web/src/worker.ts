// The service worker: what was loaded once is there without a network. Files under /assets/ never change; pages and answers are asked for
// anew and come from memory, marked with the day they were kept, only when the network does not answer.

declare const ADDRESSES: string[]; // every file of this build, by web/build.py
declare const BUILD: string;

const worker = self as unknown as WorkerGlobal;
interface WorkerGlobal {
  addEventListener(type: 'install' | 'activate', listener: (e: Lasting) => void): void;
  addEventListener(type: 'fetch', listener: (e: Lasting & { request: Request; respondWith(answer: Promise<Response>): void }) => void): void;
  addEventListener(type: 'message', listener: (e: Lasting & { data: { keep?: unknown } }) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
}
interface Lasting {
  waitUntil(work: Promise<unknown>): void;
}

const FILES = `suha-files-${BUILD}`;
const ANSWERS = 'suha-answers-1';
const MOST_ANSWERS = 600;
const PATIENCE = 8000; // milliseconds that a page or an answer may take before the kept one is shown

const ours = (address: string): boolean => new URL(address, worker.location.href).origin === worker.location.origin;
const kept = (path: string): boolean => !path.startsWith('/api/v1/openapi') && !/\/files\/|\/r\/[^/]+\/(data|codelists|protection)\/.|format=/.test(path);

async function keep(address: string, answer: Response): Promise<void> {
  const memory = await caches.open(ANSWERS);
  const headers = new Headers(answer.headers);
  headers.set('x-suha-kept', new Date().toISOString());
  await memory.put(address, new Response(await answer.blob(), { status: answer.status, headers }));
  const all = await memory.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - MOST_ANSWERS)).map(old => memory.delete(old)));
}

async function fromMemory(request: Request): Promise<Response | undefined> {
  return (await caches.open(ANSWERS)).match(request.url, { ignoreVary: true });
}

/** Network first; memory when it fails or takes too long. */
async function anew(request: Request, last: (work: Promise<unknown>) => void): Promise<Response> {
  const network = fetch(request).then(answer => {
    if (answer.ok && answer.type === 'basic') last(keep(request.url, answer.clone()));
    return answer;
  });
  const slow = new Promise<null>(resolve => setTimeout(() => resolve(null), PATIENCE));
  try {
    const first = await Promise.race([network, slow]);
    if (first) return first;
  } catch {
    const old = await fromMemory(request);
    if (old) return old;
    throw new TypeError('no network, and nothing kept');
  }
  return (await fromMemory(request)) ?? network;
}

async function fixed(request: Request): Promise<Response> {
  return (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

worker.addEventListener('install', e => {
  e.waitUntil(caches.open(FILES).then(files => files.addAll(ADDRESSES)).then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', e => {
  e.waitUntil(
    caches.keys()
      .then(names => Promise.all(names.filter(n => n.startsWith('suha-') && n !== FILES && n !== ANSWERS).map(n => caches.delete(n))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener('fetch', e => {
  const { request } = e;
  const path = new URL(request.url).pathname;
  if (request.method !== 'GET' || !ours(request.url)) return;
  if (path.startsWith('/assets/') || path === '/icon.svg' || path === '/manifest.webmanifest') e.respondWith(fixed(request));
  else if (kept(path + new URL(request.url).search)) e.respondWith(anew(request, work => e.waitUntil(work)));
});

worker.addEventListener('message', e => {
  const list = Array.isArray(e.data.keep) ? e.data.keep.filter((a): a is string => typeof a === 'string' && ours(a)) : [];
  e.waitUntil(Promise.all(list.slice(0, 100).map(async address => {
    try {
      const answer = await fetch(address);
      if (answer.ok && kept(address)) await keep(address, answer);
    } catch {
      // The network went away meanwhile.
    }
  })));
});
