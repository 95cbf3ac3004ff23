import { describe, expect, it } from 'vitest';
import * as torch from '../../src/index.ts';

const build = () => {
  const w = torch.tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  );
  const x = torch.tensor([[1], [-1]]);
  const h = w.matmul(x).tanh();
  const loss = h.mul(h).sum();
  return { w, x, h, loss };
};

describe('graph', () => {
  it('lists every call and leaf once, with shapes, names and what is saved', () => {
    const { w, h, loss } = build();
    const g = torch.graph(loss, { names: { w, h } });
    expect(g.nodes.map((n) => [n.name, n.label, n.kind, n.isRoot])).toEqual([
      ['AccumulateGrad', 'w', 'leaf', false],
      ['MmBackward0', null, 'op', false],
      ['TanhBackward0', 'h', 'op', false],
      ['MulBackward0', null, 'op', false],
      ['SumBackward0', null, 'op', true],
    ]);
    expect(g.edges.map((e) => e.shape)).toEqual([
      [2, 1],
      [2, 1],
      [2, 1],
      [2, 1],
      [2, 2],
    ]);
    const [, mv, tanh, mul] = g.nodes;
    expect(mv.savedBytes).toBe(8);
    expect(tanh.saved).toEqual([{ shape: [2, 1], dtype: 'float32', bytes: 8, isOutput: true }]);
    expect(mul.saved.every((s) => !s.isOutput)).toBe(true);
    // h is saved by tanh and twice by mul, and kept once.
    expect(g.savedBytes).toBeLessThan(g.nodes.reduce((sum, n) => sum + n.savedBytes, 0));
  });

  it('shows products of vectors as one node each', () => {
    const leaf = (...shape: number[]) => torch.ones(shape, { requiresGrad: true });
    const ops = (y: torch.Tensor): string[] =>
      torch
        .graph(y)
        .nodes.filter((n) => n.kind === 'op')
        .map((n) => n.name);
    expect(ops(leaf(2, 3).mv(leaf(3)))).toEqual(['MvBackward0']);
    expect(ops(leaf(3).dot(leaf(3)))).toEqual(['DotBackward0']);
    expect(ops(leaf(2).outer(leaf(3)))).toEqual(['MulBackward0']);
    expect(ops(leaf(2).addmv(leaf(2, 3), leaf(3), { alpha: 2 }))).toEqual(['MvBackward0', 'AddmvBackward0']);
  });

  it('is plain data: it survives JSON and structuredClone', () => {
    const g = torch.graph(build().loss);
    const data = g.toJSON();
    expect(JSON.parse(JSON.stringify(g))).toEqual(data);
    expect(structuredClone(data)).toEqual(data);
  });

  it('draws DOT and SVG with every name, shape and size', () => {
    const { w, loss } = build();
    const g = torch.graph(loss, { names: { '<w>': w } });
    const dot = g.toDOT();
    expect(dot.startsWith('digraph {')).toBe(true);
    for (const node of g.nodes) expect(dot).toContain(`n${node.id} [label="`);
    expect(dot.match(/->/g)).toHaveLength(g.edges.length);
    const svg = g.toSVG({ title: 'A & B' });
    expect(svg).toContain('&lt;w&gt;');
    expect(svg).toContain('A &amp; B');
    expect(svg).toContain('saves 8 B');
    expect(svg.match(/data-node=/g)).toHaveLength(g.nodes.length);
    expect(svg.match(/marker-end/g)).toHaveLength(g.edges.length);
    if (typeof DOMParser === 'function') {
      const page = new DOMParser().parseFromString(svg, 'image/svg+xml');
      expect(page.querySelector('parsererror')).toBeNull();
    }
  });

  it('lays out a long chain with short cuts without boxes on each other', () => {
    let x = torch.tensor([1, 2], { requiresGrad: true });
    const first = x;
    for (let i = 0; i < 30; i++) x = i % 5 === 0 ? x.add(first) : x.mul(1.1);
    const svg = torch.graph(x.sum()).toSVG();
    const boxes = [
      ...svg.matchAll(
        /<g data-node="\d+"><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g,
      ),
    ].map(([, ...n]) => n.map(Number));
    expect(boxes.length).toBeGreaterThan(30);
    for (const [i, [x1, y1, w1, h1]] of boxes.entries()) {
      for (const [x2, y2, w2, h2] of boxes.slice(i + 1)) {
        expect(x1 + w1 <= x2 || x2 + w2 <= x1 || y1 + h1 <= y2 || y2 + h2 <= y1).toBe(true);
      }
    }
  });

  it('shows nothing saved after backward', () => {
    const { loss } = build();
    loss.backward();
    expect(torch.graph(loss).savedBytes).toBe(0);
  });

  it('refuses what has no graph', () => {
    expect(() => torch.graph(torch.ones(2))).toThrow(/graph: .*does not require grad/);
  });
});

describe('backwardSteps', () => {
  it('walks the nodes of the graph and leaves the gradients of backward', () => {
    const a = build();
    a.loss.backward();
    const b = build();
    const g = torch.graph(b.loss, { names: { w: b.w } });
    const steps = [...torch.backwardSteps(b.loss, { names: { w: b.w } })];
    expect(steps.map((s) => s.node.id).sort((p, q) => p - q)).toEqual(g.nodes.map((n) => n.id));
    expect(steps.map((s) => s.index)).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(steps.map((s) => s.total))).toEqual(new Set([5]));
    expect(b.w.grad?.toArray()).toEqual(a.w.grad?.toArray());
    const last = steps[4];
    expect([last.node.label, last.grad?.toArray()]).toEqual(['w', a.w.grad?.toArray()]);
    // What one step sends is what the next receives; every gradient can still be read at the end.
    const tanh = steps.find((s) => s.node.name === 'TanhBackward0');
    expect(tanh?.incoming[0]?.toArray()).toEqual(b.h.detach().mul(2).toArray());
    const mv = steps.find((s) => s.node.name === 'MmBackward0');
    expect(mv?.incoming[0]?.toArray()).toEqual(tanh?.outgoing[0].gradient?.toArray());
    expect(mv?.outgoing).toHaveLength(1);
    expect(mv?.outgoing[0].to).toBe(last.node.id);
  });

  it('does one node for each next, and other work may come between', () => {
    const { w, loss } = build();
    const walk = torch.backwardSteps(loss, { retainGraph: true });
    walk.next();
    expect(w.grad).toBeNull();
    expect(w.mul(2).requiresGrad).toBe(true);
    for (const _ of walk);
    expect(w.grad).not.toBeNull();
    const once = w.grad?.clone().toArray();
    w.grad = null;
    for (const _ of torch.backwardSteps(loss));
    expect(w.grad).toEqual(expect.anything());
    expect((w.grad as torch.Tensor | null)?.toArray()).toEqual(once);
    expect(() => [...torch.backwardSteps(loss)]).toThrow(/second time/);
  });

  it('says at once what is wrong', () => {
    const { h } = build();
    expect(() => torch.backwardSteps(h)).toThrow(/scalar outputs/);
    expect([...torch.backwardSteps(h, { gradient: torch.ones(2, 1) })].length).toBe(3);
  });
});

describe('detectAnomaly', () => {
  const { detectAnomaly, setDetectAnomaly, isAnomalyEnabled } = torch.autograd;

  it('names the op that made the first NaN, and the place', () => {
    const x = torch.tensor([-1, 4], { requiresGrad: true });
    const place = () => x.sqrt();
    const run = () => detectAnomaly(() => place().mul(2).sum());
    expect(run).toThrow(torch.AutogradError);
    expect(run).toThrow(/sqrt returned nan values in its 0th output/);
    expect(run).toThrow(/graph\.test/);
    expect(isAnomalyEnabled()).toBe(false);
  });

  it('names the rule that made the first NaN of the backward pass, and where the op was called', () => {
    const x = torch.tensor([0, 4], { requiresGrad: true });
    const run = () =>
      detectAnomaly(() =>
        x
          .sqrt()
          .mul(torch.tensor([0, 1]))
          .sum()
          .backward(),
      );
    expect(run).toThrow(/Function 'SqrtBackward0' returned nan values in its 0th output/);
    expect(run).toThrow(/graph\.test/);
    expect(() =>
      detectAnomaly(
        () =>
          x
            .sqrt()
            .mul(torch.tensor([0, 1]))
            .sum()
            .backward(),
        { checkNan: false },
      ),
    ).not.toThrow();
  });

  it('leaves NaN alone that came in, and passes results on', () => {
    const x = torch.tensor([Number.NaN, 1], { requiresGrad: true });
    expect(detectAnomaly(() => x.mul(2)).shape).toEqual([2]);
  });

  it('works without a function, too', () => {
    const handle = detectAnomaly({ checkForward: false });
    expect(isAnomalyEnabled()).toBe(true);
    expect(torch.tensor([-1]).sqrt().isnan().item()).toBe(true);
    handle.remove();
    expect(isAnomalyEnabled()).toBe(false);
    setDetectAnomaly(true);
    expect(() => torch.tensor([-1]).sqrt()).toThrow(/sqrt returned nan/);
    setDetectAnomaly(false);
    expect(torch.tensor([-1]).sqrt().isnan().item()).toBe(true);
    expect(() => detectAnomaly(async () => 1)).toThrow(/must not be async/);
  });
});
