/**
 * `wasmgrad/serve`: a small server for pages that use this library, on this machine. It sends the headers that give a
 * page threads. Node only.
 * @module wasmgrad/serve
 */
import { ArgumentError, DeviceError } from '../core/errors.ts';
import { type FoundFile, findFile } from './files.ts';
import { mediaType } from './mime.ts';
import { parseRange } from './range.ts';

export interface ServeOptions {
  /** The folder whose files are served. Default: the current one. */
  folder?: string;
  /** Where to listen. Default 8080, or the next free port up to ten further on; 0 takes any free one. */
  port?: number;
  /** The address to listen at. Default 127.0.0.1: this machine only. */
  host?: string;
  /**
   * Cross-origin isolation, which threads need. `'require-corp'` (default) works in every browser; `'credentialless'`
   * lets a page show pictures of other sites, in Chromium and Firefox; `false` sends no such header.
   */
  isolate?: 'require-corp' | 'credentialless' | false;
  /** Let pages of other origins use the files, as a CDN does. Default false. */
  cors?: boolean;
  /** Further headers of every answer, such as a `Content-Security-Policy`. */
  headers?: Readonly<Record<string, string>>;
}

export interface FileServer {
  /** Where the folder is, with a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** Stops listening and ends open connections. */
  close(): Promise<void>;
}

const nodeHttp = () => process.getBuiltinModule('node:http');
type Request = InstanceType<ReturnType<typeof nodeHttp>['IncomingMessage']>;
type Response = InstanceType<ReturnType<typeof nodeHttp>['ServerResponse']>;

const DEFAULT_PORT = 8080;
const PORTS_TO_TRY = 10;

/**
 * Serves a folder.
 * @throws ArgumentError for a folder that is not there or options that make no sense; DeviceError where the port is
 *   taken or this is not Node
 */
export async function serve(options: ServeOptions = {}): Promise<FileServer> {
  const { folder = '.', port = DEFAULT_PORT, host = '127.0.0.1' } = options;
  if (typeof process !== 'object' || typeof process.getBuiltinModule !== 'function')
    throw new DeviceError('serve: runs in Node only');
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new ArgumentError(`serve: expected a port from 0 to 65535, but got ${String(port)}`);
  const headers = fixedHeaders(options);
  const root = await existingFolder(folder);
  const server = nodeHttp().createServer((request, response) => {
    answer(request, response, { root, host, headers }).catch(() => response.destroy());
  });
  const attempts = options.port === undefined ? PORTS_TO_TRY : 1;
  for (let i = 0; ; i++) {
    const refused = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once('error', resolve);
      server.listen(port + i, host, () => {
        server.off('error', resolve);
        resolve(null);
      });
    });
    if (refused === null) break;
    if (refused.code !== 'EADDRINUSE' || i + 1 === attempts)
      throw new DeviceError(`serve: cannot listen at ${host}:${port + i} (${refused.message})`, {
        cause: refused,
      });
  }
  const address = server.address();
  const actual = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${displayName(host)}:${actual}/`,
    port: actual,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** `localhost` is a secure context for every browser, and so is the loopback address; other addresses are not. */
function displayName(host: string): string {
  if (host === '127.0.0.1' || host === '::1' || host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

async function existingFolder(folder: string): Promise<string> {
  const fs = process.getBuiltinModule('node:fs/promises');
  try {
    const real = await fs.realpath(folder);
    if ((await fs.stat(real)).isDirectory()) return real;
  } catch (error) {
    throw new ArgumentError(`serve: there is no folder ${folder}`, { cause: error });
  }
  throw new ArgumentError(`serve: expected a folder, but ${folder} is a file`);
}

function fixedHeaders({ isolate = 'require-corp', cors = false, headers = {} }: ServeOptions) {
  if (isolate !== 'require-corp' && isolate !== 'credentialless' && isolate !== false)
    throw new ArgumentError(
      `serve: expected isolate to be 'require-corp', 'credentialless' or false, but got ${String(isolate)}`,
    );
  return {
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': cors ? 'cross-origin' : 'same-origin',
    ...(cors && { 'Access-Control-Allow-Origin': '*' }),
    ...(isolate && {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': isolate,
    }),
    ...headers,
  };
}

interface Site {
  readonly root: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function answer(request: Request, response: Response, site: Site): Promise<void> {
  for (const [name, value] of Object.entries(site.headers)) response.setHeader(name, value);
  if (!isOurName(request.headers.host, site.host))
    return refuse(response, 421, 'this server has another name');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return refuse(response, 405, 'only GET and HEAD');
  }
  // Split by hand: the URL parser would take a leading `//name` for a host and resolve `..` by itself.
  const [pathname, ...query] = (request.url ?? '/').split('?');
  const found = await findFile(site.root, pathname);
  if (found === null) return refuse(response, 404, 'not found');
  if ('redirect' in found) {
    const suffix = query.length > 0 ? `?${query.join('?')}` : '';
    response.setHeader('Location', found.redirect.replace(/^\/+/, '/') + suffix);
    return refuse(response, 308, 'this is a folder');
  }
  await send(request, response, found.file);
}

/**
 * Whether the request was meant for this server. A page on the Internet can let its own name point to 127.0.0.1 and
 * would then read what is served here as its own; its requests carry that name.
 */
function isOurName(header: string | undefined, host: string): boolean {
  const name = (header ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  const isOpen = host === '0.0.0.0' || host === '::';
  return isOpen || ['localhost', '127.0.0.1', '::1', host].includes(name) || name.endsWith('.localhost');
}

async function send(request: Request, response: Response, file: FoundFile): Promise<void> {
  const { size, modified } = file;
  const etag = `"${size.toString(16)}-${modified.getTime().toString(16)}"`;
  response.setHeader('Content-Type', mediaType(file.path));
  response.setHeader('Last-Modified', modified.toUTCString());
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const condition = request.headers['if-range'];
  const range =
    condition === undefined || condition === etag ? parseRange(request.headers.range, size) : undefined;
  if (range === null) {
    response.setHeader('Content-Range', `bytes */${size}`);
    return refuse(response, 416, 'the file has no such part');
  }
  if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${size}`);
  response.setHeader('Content-Length', range ? range.end - range.start + 1 : size);
  response.writeHead(range ? 206 : 200);
  if (request.method === 'HEAD' || size === 0) {
    response.end();
    return;
  }
  const fs = process.getBuiltinModule('node:fs');
  const { pipeline } = process.getBuiltinModule('node:stream/promises');
  await pipeline(fs.createReadStream(file.path, range ?? undefined), response);
}

function refuse(response: Response, status: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(status).end(`${status}: ${text}\n`);
}
