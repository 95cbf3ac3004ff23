/** Plots as SVG: well-formed, complete, in range, and readable as text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError, DeviceError, IndexError, ShapeError } from '../../src/core/errors.ts';
import { colorAt, inkOn } from '../../src/plot/colorMap.ts';
import { plot } from '../../src/plot/index.ts';
import { encodePng } from '../../src/plot/png.ts';
import { formatNumber, makeScale, niceStep } from '../../src/plot/scale.ts';
import { escapeText } from '../../src/plot/svg.ts';

/** Names of all elements; throws unless tags nest properly and every attribute is quoted. */
function elementsOf(svg: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const tags = svg.matchAll(/<(\/?)([a-z]+)((?:\s[a-zA-Z][\w-]*="[^"<]*")*)(\/?)>|([<])/g);
  for (const [tag, closing, name, , selfClosing, stray] of tags) {
    if (stray) throw new Error(`stray < in ${svg.slice(0, 200)}`);
    if (closing) {
      if (open.pop() !== name) throw new Error(`${tag} closes nothing`);
    } else {
      names.push(name);
      if (!selfClosing) open.push(name);
    }
  }
  if (open.length > 0) throw new Error(`not closed: ${open.join(' ')}`);
  if (/NaN|undefined|Infinity/.test(svg)) throw new Error('a coordinate is no number');
  return names;
}
const count = (svg: string, name: string) => elementsOf(svg).filter((n) => n === name).length;
const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

describe('scales', () => {
  it('step in round numbers', () => {
    expect([0.07, 0.13, 0.21, 3, 11, 60].map((x) => niceStep(x))).toEqual([0.1, 0.2, 0.25, 5, 20, 100]);
    expect([0.1, 2.1, 30].map((x) => niceStep(x, true))).toEqual([1, 5, 50]);
  });

  it('label ticks exactly', () => {
    const labels = (low: number, high: number) => {
      const scale = makeScale([low, high], { count: 5 });
      return scale.ticks.map(scale.format);
    };
    expect(labels(0.017, 0.494)).toEqual(['0', '0.1', '0.2', '0.3', '0.4', '0.5']);
    expect(labels(0, 1)).toEqual(['0', '0.2', '0.4', '0.6', '0.8', '1.0']);
    expect(labels(-2, 2)).toEqual(['−2', '−1', '0', '1', '2']);
    expect(labels(0, 1.1)).toEqual(['0', '0.25', '0.50', '0.75', '1.00', '1.25']);
    expect(formatNumber(0.00001)).toBe('1e−5');
    expect(formatNumber(2_500_000, 500_000)).toBe('2.5e6');
  });

  it('hold all data between their ends, with few ticks, for any data', () => {
    const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        fc.pre(high - low > 1e-9 * Math.max(1, Math.abs(low), Math.abs(high)) || low === high);
        const scale = makeScale([low, high]);
        expect(scale.at(low)).toBeGreaterThan(-1e-6);
        expect(scale.at(high)).toBeLessThan(1 + 1e-6);
        expect(scale.ticks.length).toBeGreaterThan(1);
        expect(scale.ticks.length).toBeLessThan(12);
        expect(new Set(scale.ticks.map(scale.format)).size).toBe(scale.ticks.length);
      }),
    );
  });

  it('know logarithms', () => {
    const scale = makeScale([0.001, 10], { kind: 'log' });
    expect(scale.ticks.map(scale.format)).toEqual(['0.001', '0.01', '0.1', '1', '10']);
    expect(scale.at(0.1)).toBeCloseTo(0.5, 12);
    expect(() => makeScale([0, 1], { kind: 'log' })).toThrow(ArgumentError);
  });
});

describe('line', () => {
  const loss = { name: 'Training loss', y: [0.49, 0.26, 0.21] };

  it('draws curves, axes, legend and labels', () => {
    const svg = plot.line({
      series: [loss, { name: 'Validation', y: [0.3, 0.2] }],
      xLabel: 'Epoch',
      yLabel: 'Loss',
      title: 'T',
    });
    expect(count(svg, 'path')).toBe(2);
    expect(count(svg, 'circle')).toBe(5);
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['Training loss', 'Validation', 'Epoch', 'Loss', 'T', '1', '2', '3']),
    );
    expect(svg).toContain('prefers-color-scheme:dark');
  });

  it('puts larger values higher and later ones further right', () => {
    const [, path] = /<path d="([^"]*)"/.exec(plot.line({ series: [{ y: [1, 3, 2] }] }))!;
    const points = path
      .slice(1)
      .split('L')
      .map((p) => p.split(' ').map(Number));
    expect(points[0][0]).toBeLessThan(points[1][0]);
    expect(points[1][1]).toBeLessThan(points[2][1]);
    expect(points[2][1]).toBeLessThan(points[0][1]);
  });

  it('takes typed arrays, tensors and 64-bit integers', () => {
    const y = { data: BigInt64Array.of(1n, 2n), shape: [2] };
    expect(count(plot.line({ series: [{ y }, { y: Float32Array.of(1, 2), x: [0.5, 1.5] }] }), 'path')).toBe(
      2,
    );
  });

  it('leaves gaps for what is not finite and survives empty series', () => {
    const svg = plot.line({ series: [{ y: [1, Number.NaN, 2, 3, Number.POSITIVE_INFINITY] }] });
    expect(/<path d="([^"]*)"/.exec(svg)![1].match(/M/g)).toHaveLength(2);
    expect(count(plot.line({ series: [{ y: [] }] }), 'path')).toBe(1);
    expect(count(plot.line({ series: [{ y: [0, 1, 10] }], yScale: 'log' }), 'circle')).toBe(2);
  });

  it('escapes every text', () => {
    const svg = plot.line({ series: [{ name: '<b> & "c"\u0000', y: [1] }], title: "a'<" });
    expect(count(svg, 'b')).toBe(0);
    expect(texts(svg)).toContain('&lt;b&gt; &amp; &quot;c&quot;');
    expect(escapeText('a\u0001b\ufffe')).toBe('ab');
  });

  it('says what is wrong', () => {
    expect(() => plot.line({ series: [] })).toThrow(ArgumentError);
    expect(() => plot.line({ series: [{ x: [1], y: [1, 2] }] })).toThrow(
      /series 0 has 1 x values but 2 y values/,
    );
  });

  it('has light and dark colours fixed when asked', () => {
    const light = plot.line({ series: [loss], theme: 'light' });
    expect(light).not.toContain('prefers-color-scheme');
    expect(plot.line({ series: [loss], theme: 'dark' })).toContain('fill="#14181f"');
  });
});

describe('histogram', () => {
  const heights = (svg: string) => [...svg.matchAll(/<title>[^:]*: ([^<]*)</g)].map(([, n]) => Number(n));

  it('counts each value once, the largest too', () => {
    expect(heights(plot.histogram([0, 0.1, 1, 2, 3, 4], { bins: 4 }))).toEqual([2, 1, 1, 2]);
    expect(heights(plot.histogram([0, 1, 5, Number.NaN], { bins: 2, range: [0, 2] }))).toEqual([1, 1]);
    expect(heights(plot.histogram([0, 1, 1, 1], { bins: 2, density: true }))).toEqual([0.5, 1.5]);
  });

  it('handles no values and equal values', () => {
    expect(heights(plot.histogram([]))).toEqual(new Array(10).fill(0));
    expect(heights(plot.histogram([3, 3, 3], { bins: 3 }))).toEqual([0, 3, 0]);
    expect(() => plot.histogram([1], { bins: 0 })).toThrow(ArgumentError);
  });
});

describe('heatMap and confusionMatrix', () => {
  it('draws cells with their values', () => {
    const svg = plot.heatMap([[1, 2, 3], Float32Array.of(4, 5, 6)], { colorBar: false });
    expect(count(svg, 'rect')).toBe(7);
    expect(texts(svg)).toEqual(expect.arrayContaining(['1', '2', '3', '4', '5', '6']));
  });

  it('says what it is to those who cannot see it, with an empty title too', () => {
    const label = (svg: string) => /aria-label="([^"]*)"/.exec(svg)?.[1];
    for (const title of [undefined, '']) {
      expect(label(plot.heatMap([[1]], { title }))).toBe('heat map');
      expect(label(plot.line({ series: [{ y: [1, 2] }], title }))).toBe('line plot');
      expect(label(plot.line({ series: [{ y: [1, 2] }], title, xLabel: 'epoch', yLabel: 'loss' }))).toBe(
        'loss over epoch',
      );
    }
    expect(label(plot.confusionMatrix([0], [0], { title: '' }))).toBe('confusion matrix');
    expect(label(plot.confusionMatrix([0], [0]))).toBe('Confusion matrix');
  });

  it('draws large matrices as one image', () => {
    const svg = plot.heatMap({ data: new Float32Array(10_000), shape: [100, 100] });
    expect(count(svg, 'image')).toBe(1);
  });

  it('counts classes by true row and predicted column', () => {
    const svg = plot.confusionMatrix([0, 0, 1], BigInt64Array.of(0n, 1n, 1n), { labels: ['cat', 'dog'] });
    const cells = [...svg.matchAll(/<title>(\[\d, \d\]: \d)</g)].map(([, cell]) => cell);
    expect(cells).toEqual(['[0, 0]: 1', '[0, 1]: 1', '[1, 0]: 0', '[1, 1]: 1']);
    expect(texts(svg)).toEqual(expect.arrayContaining(['cat', 'dog', 'Predicted class', 'True class']));
  });

  it('has colours for a dark page, which a picture without a theme holds beside those of a light one', () => {
    const fills = (theme: 'auto' | 'light' | 'dark'): string[] => {
      const svg = plot.heatMap([[0, 1]], { colorMap: 'blues', colorBar: false, annotate: false, theme });
      return [...svg.matchAll(/<rect x=[^>]*? fill="(#\w+)"(?: style="(--wg-dark:#\w+)")?/g)].map(
        ([, fill, dark]) => (dark ? `${fill} ${dark}` : fill),
      );
    };
    const [light, dark] = [fills('light'), fills('dark')];
    expect(light).toHaveLength(2);
    expect(dark).not.toEqual(light);
    expect(fills('auto')).toEqual(light.map((fill, i) => `${fill} --wg-dark:${dark[i]}`));
  });

  it('writes values and names so that they fit', () => {
    const svg = plot.heatMap([[0.123456, -1234.56, 99.97]], { colorBar: false, cellSize: 30 });
    expect(texts(svg)).toEqual(expect.arrayContaining(['0.12', '−1235', '100']));
    const size = Number(/font-size="([\d.]+)"><text/.exec(svg)?.[1]);
    expect('−1235'.length * 0.58 * size).toBeLessThanOrEqual(24.1);
    const labels = ['T-shirt', 'Ankle boot'];
    const clothes = plot.confusionMatrix([0, 1], [0, 1], { labels, cellSize: 30 });
    expect(texts(clothes).filter((text) => text === 'Ankle boot')).toHaveLength(2);
    expect(clothes).toContain('rotate(-40');
    expect(plot.confusionMatrix([0, 1], [0, 1])).not.toContain('rotate(-40');
  });

  it('refuses what does not fit', () => {
    expect(() => plot.heatMap([[1], [1, 2]])).toThrow(ShapeError);
    expect(() => plot.heatMap({ data: [1], shape: [1] })).toThrow(/expected a matrix/);
    expect(() => plot.confusionMatrix([0], [0, 1])).toThrow(ShapeError);
    expect(() => plot.confusionMatrix([0], [2], { labels: ['a', 'b'] })).toThrow(IndexError);
  });

  it('writes on every colour in readable ink', () => {
    expect(inkOn(colorAt('blues', 0))).not.toBe(inkOn(colorAt('blues', 1)));
    expect(inkOn(colorAt('blues', 0, true))).not.toBe(inkOn(colorAt('blues', 1, true)));
    expect(colorAt('grey', 0.5)).toEqual([128, 128, 128]);
    expect(colorAt('viridis', 2)).toEqual(colorAt('viridis', 1));
  });
});

describe('imageGrid', () => {
  const image = { data: Float32Array.of(0, 1, 0.5, 0.25), shape: [1, 2, 2] };

  it('shows images with labels', () => {
    const svg = plot.imageGrid([image, [[0, 1]], image], { labels: ['a', 7, undefined], columns: 2 });
    expect(count(svg, 'image')).toBe(3);
    expect(texts(svg)).toEqual(['a', '7']);
  });

  it('takes one tensor of many images, grey or RGB', () => {
    expect(count(plot.imageGrid({ data: new Uint8Array(24), shape: [2, 3, 2, 2] }), 'image')).toBe(2);
    expect(count(plot.imageGrid({ data: new Float32Array(12), shape: [3, 2, 2] }), 'image')).toBe(3);
    expect(() => plot.imageGrid([{ data: [1, 2], shape: [2, 1, 1] }])).toThrow(ShapeError);
  });

  it('encodes PNG files that decode to the same pixels', async () => {
    const pixels = Uint8Array.from({ length: 300 * 301 }, (_, i) => (i * 7) % 256);
    const png = encodePng(pixels, 300, 301, 1);
    const view = new DataView(png.buffer);
    expect([view.getUint32(16), view.getUint32(20), png[24], png[25]]).toEqual([300, 301, 8, 0]);
    const length = view.getUint32(33);
    const packed = new Blob([png.slice(41, 41 + length)])
      .stream()
      .pipeThrough(new DecompressionStream('deflate'));
    const lines = new Uint8Array(await new Response(packed).arrayBuffer());
    expect(lines.length).toBe(301 * 301);
    for (let y = 0; y < 301; y += 100) {
      expect(lines[y * 301]).toBe(0);
      expect(lines.slice(y * 301 + 1, (y + 1) * 301)).toEqual(pixels.slice(y * 300, (y + 1) * 300));
    }
    // The check value of CRC-32 over the empty IEND chunk is a constant of the format.
    expect(view.getUint32(png.length - 4)).toBe(0xae426082);
  });
});

describe('bars', () => {
  it('stand for values, in the order of the labels', () => {
    const svg = plot.bar({
      labels: ['one', 'two', 'none'],
      series: [
        { name: 'a', values: [1, 2, Number.NaN] },
        { name: 'b', values: [3, -4, 0] },
      ],
      xLabel: 'things',
    });
    expect(count(svg, 'title')).toBe(5);
    expect(texts(svg)).toEqual(expect.arrayContaining(['one', 'two', 'none', 'a', 'b', '2', '−4', 'things']));
    const width = (value: string) =>
      Number(new RegExp(`width="([\\d.]+)"[^>]*><title>${value}<`).exec(svg)?.[1]);
    expect(width('one, b: 3') / width('one, a: 1')).toBeCloseTo(3, 1);
    expect(width('two, b: −4') / width('two, a: 2')).toBeCloseTo(2, 1);
  });

  it('take a log axis and their own text', () => {
    const options = { labels: ['a', 'b', 'c'], xScale: 'log', format: (x: number) => `${x} s` } as const;
    const svg = plot.bar({ ...options, series: [{ values: [1, 100, 0] }] });
    expect(count(svg, 'title')).toBe(2);
    expect(texts(svg)).toContain('100 s');
  });

  it('refuse what does not fit together', () => {
    expect(() => plot.bar({ labels: [], series: [{ values: [] }] })).toThrow(ArgumentError);
    expect(() => plot.bar({ labels: ['a'], series: [] })).toThrow(ArgumentError);
    expect(() => plot.bar({ labels: ['a', 'b'], series: [{ values: [1] }] })).toThrow(
      /plot.bar: expected one value for each of 2 labels, but series 0 has 1/,
    );
    expect(() => plot.bar({ labels: ['a', 'b'], series: [{ values: [1] }] })).toThrow(ShapeError);
  });
});

describe('pixels', () => {
  const svg = plot.line({ series: [{ x: [0, 1], y: [0, 1] }], width: 200, height: 100, theme: 'dark' });
  const inPage = typeof document !== 'undefined';
  /** Width and height stand in the first chunk of the file. */
  const sizeOf = (png: Uint8Array): number[] => {
    const view = new DataView(png.buffer, png.byteOffset);
    expect(view.getUint32(0)).toBe(0x89504e47);
    return [view.getUint32(16), view.getUint32(20)];
  };

  it('of a plot make a PNG file, here and in Node', async () => {
    expect(sizeOf(await plot.toPNG(svg))).toEqual([400, 200]);
    expect(sizeOf(await plot.toPNG(svg, { scale: 1 }))).toEqual([200, 100]);
    await expect(plot.toPNG(svg, { scale: 0 })).rejects.toThrow(ArgumentError);
  });

  it.runIf(inPage)('stand on a canvas', async () => {
    const canvas = await plot.toCanvas(svg);
    expect([canvas.width, canvas.height, canvas.style.width]).toEqual([400, 200, '200px']);
    const [r, g, b, a] = canvas.getContext('2d')!.getImageData(5, 5, 1, 1).data;
    expect([r, g, b, a]).toEqual([0x14, 0x18, 0x1f, 255]);
    await expect(plot.toCanvas('no picture')).rejects.toThrow(DeviceError);
  });

  it.skipIf(inPage)('need a page for a canvas', async () => {
    await expect(plot.toCanvas(svg)).rejects.toThrow(/no document/);
  });

  it.each([
    ['line', /plot.line: expected \{ series: \[\{ y: \[numbers\] \}, …\] \}/],
    ['bar', /plot.bar: expected \{ labels: \[texts\], series: /],
    ['histogram', /plot.histogram: argument 'values' must be a list of numbers or a tensor/],
    ['heatMap', /plot.heatMap: expected rows of numbers or a tensor \[rows, columns\]/],
    ['confusionMatrix', /plot.confusionMatrix: argument 'targets' must be a list of numbers or a tensor/],
    ['imageGrid', /plot.imageGrid: expected a list of images or a tensor \[n, height, width\]/],
  ] as const)('%s says what it takes', (name, message) => {
    const draw = plot[name] as (x?: unknown) => string;
    for (const came of [undefined, null, 3, { loss: [1, 2] }]) {
      expect(() => draw(came)).toThrow(ArgumentError);
      expect(() => draw(came)).toThrow(message);
    }
  });
});
