/** The file server: what it sends, and what it must never send. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileServer, type ServeOptions, serve } from '../../src/serve/index.ts';
import { parseRange } from '../../src/serve/range.ts';

let outer = '';
let folder = '';
const servers: FileServer[] = [];

beforeAll(() => {
  outer = fs.mkdtempSync(path.join(os.tmpdir(), 'wasmgrad-serve-'));
  folder = path.join(outer, 'site');
  fs.mkdirSync(path.join(folder, 'sub'), { recursive: true });
  fs.mkdirSync(path.join(outer, 'site-secret'));
  fs.writeFileSync(path.join(outer, 'secret.txt'), 'secret');
  fs.writeFileSync(path.join(outer, 'site-secret/a.txt'), 'secret');
  fs.writeFileSync(path.join(folder, '.env'), 'secret');
  fs.writeFileSync(path.join(folder, 'index.html'), '<p>home');
  fs.writeFileSync(path.join(folder, 'sub/index.html'), '<p>sub');
  fs.writeFileSync(path.join(folder, 'two words.txt'), '0123456789');
  fs.writeFileSync(path.join(folder, 'm.js'), 'export {}');
  fs.writeFileSync(path.join(folder, 'm.wasm'), Buffer.from([0, 97, 115, 109]));
  fs.writeFileSync(path.join(folder, 'empty.safetensors'), '');
  fs.symlinkSync(path.join(outer, 'secret.txt'), path.join(folder, 'link.txt'));
  fs.symlinkSync(path.join(folder, 'm.js'), path.join(folder, 'inner.js'));
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  fs.rmSync(outer, { recursive: true, force: true });
});

async function start(options: ServeOptions = {}): Promise<FileServer> {
  const server = await serve({ folder, port: 0, ...options });
  servers.push(server);
  return server;
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A request whose path and headers are sent as they are, which `fetch` would not do. */
function ask(
  server: FileServer,
  target: string,
  headers: http.OutgoingHttpHeaders = {},
  method = 'GET',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: server.port, path: target, headers, method };
    const request = http.request(options, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    request.on('error', reject).end();
  });
}

describe('serve', () => {
  it('isolates pages, says what files are, and answers folders with their index', async () => {
    const server = await start();
    expect(server.url).toBe(`http://localhost:${server.port}/`);
    const home = await ask(server, '/');
    expect([home.status, home.body]).toEqual([200, '<p>home']);
    expect(home.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': '7',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(home.headers).not.toHaveProperty('access-control-allow-origin');
    expect((await ask(server, '/m.js?v=1')).headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect((await ask(server, '/m.wasm')).headers['content-type']).toBe('application/wasm');
    expect((await ask(server, '/inner.js')).body).toBe('export {}');
    const empty = await ask(server, '/empty.safetensors');
    expect([empty.status, empty.body, empty.headers['content-type']]).toEqual([
      200,
      '',
      'application/octet-stream',
    ]);
    expect((await ask(server, '/two%20words.txt')).body).toBe('0123456789');
    const moved = await ask(server, '/sub?a=1?b');
    expect([moved.status, moved.headers.location]).toEqual([308, '/sub/?a=1?b']);
    expect((await ask(server, '/sub/')).body).toBe('<p>sub');
    expect((await ask(server, '/m.js/')).status).toBe(404);
  });

  it('sends nothing from outside of the folder, and no hidden file', async () => {
    const server = await start();
    const attempts = [
      '/../secret.txt',
      '/sub/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/sub/..%5c..%5csecret.txt',
      '/../site-secret/a.txt',
      '//../secret.txt',
      '/link.txt',
      '/.env',
      '/%2eenv',
      '/sub/.%2e/%2e./secret.txt',
      '/secret.txt%00.html',
      '/%',
      `${path.join(outer, 'secret.txt')}`,
      `/${path.join(outer, 'secret.txt')}`,
    ];
    for (const target of attempts) {
      const { status, body } = await ask(server, target);
      expect([target, status]).toEqual([target, 404]);
      expect(body).not.toContain('secret');
    }
  });

  it('does not redirect to another site', async () => {
    const server = await start();
    const { status, headers } = await ask(server, '//sub');
    expect([status, headers.location]).toEqual([308, '/sub/']);
  });

  it('answers to its own names only, and to reading only', async () => {
    const server = await start();
    expect((await ask(server, '/', { host: 'evil.example' })).status).toBe(421);
    expect((await ask(server, '/', { host: `app.localhost:${server.port}` })).status).toBe(200);
    expect((await ask(server, '/', { host: '[::1]:80' })).status).toBe(200);
    const post = await ask(server, '/', {}, 'POST');
    expect([post.status, post.headers.allow]).toEqual([405, 'GET, HEAD']);
    const head = await ask(server, '/', {}, 'HEAD');
    expect([head.status, head.body, head.headers['content-length']]).toEqual([200, '', '7']);
  });

  it('sends parts of files, and nothing twice', async () => {
    const server = await start();
    const part = await ask(server, '/two%20words.txt', { range: 'bytes=2-4' });
    expect([part.status, part.body, part.headers['content-range']]).toEqual([206, '234', 'bytes 2-4/10']);
    const beyond = await ask(server, '/two%20words.txt', { range: 'bytes=10-' });
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */10']);
    const { etag } = part.headers;
    expect((await ask(server, '/two%20words.txt', { 'if-none-match': etag! })).status).toBe(304);
    const stale = await ask(server, '/two%20words.txt', { range: 'bytes=2-4', 'if-range': '"old"' });
    expect([stale.status, stale.body]).toEqual([200, '0123456789']);
  });

  it('reads ranges as RFC 9110 says', () => {
    expect(parseRange('bytes=0-', 10)).toEqual({ start: 0, end: 9 });
    expect(parseRange('bytes=-3', 10)).toEqual({ start: 7, end: 9 });
    expect(parseRange('bytes=-30', 10)).toEqual({ start: 0, end: 9 });
    expect(parseRange('bytes=9-99', 10)).toEqual({ start: 9, end: 9 });
    for (const nothing of ['bytes=10-11', 'bytes=-0']) expect(parseRange(nothing, 10)).toBeNull();
    for (const ignored of [undefined, '', 'lines=1-2', 'bytes=-', 'bytes=4-2', 'bytes=0-1,3-4', 'bytes=a-b'])
      expect(parseRange(ignored, 10)).toBeUndefined();
  });

  it('takes isolation away, credentials out, and lets other origins in, when asked', async () => {
    const plain = await ask(await start({ isolate: false, cors: true, headers: { 'X-Mine': '1' } }), '/');
    expect(plain.headers).not.toHaveProperty('cross-origin-embedder-policy');
    expect(plain.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-mine': '1',
    });
    const { headers } = await ask(await start({ isolate: 'credentialless' }), '/');
    expect(headers['cross-origin-embedder-policy']).toBe('credentialless');
  });

  it('names a folder that is not there, a bad port, and a port that is taken', async () => {
    await expect(serve({ folder: path.join(outer, 'nowhere') })).rejects.toThrow(
      /there is no folder .*nowhere/,
    );
    await expect(serve({ folder: path.join(folder, 'm.js') })).rejects.toThrow(/m\.js is a file/);
    await expect(serve({ folder, port: 70000 })).rejects.toThrow(/port from 0 to 65535, but got 70000/);
    const { port } = await start();
    await expect(serve({ folder, port })).rejects.toThrow(new RegExp(`cannot listen at 127.0.0.1:${port}`));
  });
});

describe('the command', () => {
  it('serves until it is stopped', async () => {
    const child = spawn(process.execPath, [
      'bin/wasmgrad.mjs',
      'serve',
      folder,
      '--port',
      '0',
      '--coep',
      'none',
    ]);
    try {
      const line = await new Promise<string>((resolve, reject) => {
        child.stdout.setEncoding('utf8').on('data', resolve);
        child.stderr.setEncoding('utf8').on('data', reject);
      });
      const [url] = /http:\/\/localhost:\d+\//.exec(line)!;
      const response = await fetch(url.replace('localhost', '127.0.0.1'));
      expect(await response.text()).toBe('<p>home');
      expect(response.headers.get('cross-origin-embedder-policy')).toBeNull();
    } finally {
      child.kill();
    }
  });

  it('refuses what it does not know', async () => {
    const child = spawn(process.execPath, ['bin/wasmgrad.mjs', 'serve', '--port', 'x'], { stdio: 'pipe' });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([code, text]).toEqual([1, 'wasmgrad: --port: expected a number, but got x\n']);
  });
});
