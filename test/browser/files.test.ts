/** Files of a page: the origin's private file system, tabs that are closed while they write, and quotas. */
import { afterEach, describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';
import { DataError, nn, optim, StorageFullError } from '../../src/index.ts';
import { load, loadCheckpoint, openSafetensors, save, saveCheckpoint } from '../../src/io/index.ts';

const root = () => navigator.storage.getDirectory();
async function names(folder?: FileSystemDirectoryHandle): Promise<string[]> {
  const found: string[] = [];
  for await (const name of (
    (folder ?? (await root())) as unknown as { keys(): AsyncIterable<string> }
  ).keys())
    found.push(name);
  return found.sort();
}

afterEach(async () => {
  const folder = await root();
  for (const name of await names()) await folder.removeEntry(name, { recursive: true });
});

describe('the private file system', () => {
  it('holds files by path, in folders that are made', async () => {
    const model = new nn.Linear(3, 2);
    await save(model, 'runs/a/model.safetensors', { metadata: { a: 'b' } });
    await save({ x: torch.ones(2) }, 'runs/a/model.safetensors');
    await save(model, 'runs/a/model.safetensors', { metadata: { a: 'b' } });
    const file = await openSafetensors('runs/a/model.safetensors');
    expect(file.metadata).toEqual({ a: 'b' });
    new nn.Linear(3, 2).loadStateDict(await load('/runs/a/model.safetensors'));
    const folder = await (await (await root()).getDirectoryHandle('runs')).getDirectoryHandle('a');
    expect(await names(folder)).toEqual(['model.safetensors']);
  });

  it('and handles of files', async () => {
    const handle = await (await root()).getFileHandle('handle', { create: true });
    await save({ x: torch.ones(2) }, handle);
    expect((await load(handle)).x.toArray()).toEqual([1, 1]);
  });

  it('says what is not there', async () => {
    await expect(load('none.safetensors')).rejects.toThrow(
      /none.safetensors: there is no such file in this page's private file system; to fetch an address, pass new URL/,
    );
    await expect(load('no/folder')).rejects.toThrow(DataError);
    await expect(save({}, '../x')).rejects.toThrow("save: '../x' is not a path to a file");
    await expect(load(new URL('file:///x'))).rejects.toThrow(/pages cannot read/);
  });

  it('keeps a run', async () => {
    torch.manualSeed(3);
    const model = new nn.Linear(2, 1);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
    const step = () => {
      model.forward(torch.randn(4, 2)).sum().backward();
      optimizer.step();
      optimizer.zeroGrad();
    };
    step();
    await saveCheckpoint('run', { model, optimizer, epoch: 1 });
    step();
    const expected = model.weight.toArray();
    torch.manualSeed(4);
    expect((await loadCheckpoint('run', { model, optimizer })).epoch).toBe(1);
    step();
    expect(model.weight.toArray()).toEqual(expected);
  });
});

describe('a write that does not end', () => {
  it('because the tab was closed leaves the file before', async () => {
    await saveCheckpoint('run', { epoch: 1 });
    // A frame of the same origin that begins to write and is gone.
    const frame = document.createElement('iframe');
    document.body.append(frame);
    const begun = new Promise((resolve) => addEventListener('message', resolve, { once: true }));
    frame.srcdoc = `<script type="module">
      const folder = await navigator.storage.getDirectory();
      const stream = await (await folder.getFileHandle('run.part', { create: true })).createWritable();
      await stream.write(new Uint8Array(100000));
      parent.postMessage('begun', '*');
    </script>`;
    await begun;
    frame.remove();
    expect((await loadCheckpoint('run')).epoch).toBe(1);
    await saveCheckpoint('run', { epoch: 2 });
    expect((await loadCheckpoint('run')).epoch).toBe(2);
    expect((await names()).filter((name) => !name.endsWith('.crswap'))).toEqual(['run']);
  });

  it('because the quota is exceeded is a StorageFullError, and the file before is intact', async () => {
    await saveCheckpoint('run', { epoch: 1 });
    const getWriter = WritableStream.prototype.getWriter;
    // The writes of a stream whose quota is spent fail like this.
    WritableStream.prototype.getWriter = function (this: WritableStream) {
      const writer = getWriter.call(this);
      let room = 100_000;
      const whole = writer.write.bind(writer);
      writer.write = (chunk: Uint8Array) => {
        room -= chunk.length;
        return room < 0
          ? Promise.reject(new DOMException('The operation failed', 'QuotaExceededError'))
          : whole(chunk);
      };
      return writer;
    };
    try {
      const job = saveCheckpoint('run', { epoch: 2, big: torch.zeros(1_000_000) });
      const error: unknown = await job.then(
        () => null,
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(StorageFullError);
      expect(String(error)).toMatch(
        /saveCheckpoint: run: there is no room for it; what was there before is intact/,
      );
    } finally {
      WritableStream.prototype.getWriter = getWriter;
    }
    expect((await loadCheckpoint('run')).epoch).toBe(1);
    expect(await names()).toEqual(['run']);
  });
});
