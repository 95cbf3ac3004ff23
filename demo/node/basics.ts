/** Section 1 of the tutorial: tensors and exact derivatives. */
import * as torch from 'wasmgrad';

export function basics(): void {
  torch.manualSeed(7);

  const a = torch.tensor([1, 2, 3]);
  const b = torch.tensor([4, 5, 6]);
  console.log('a + 3 =', a.add(3));
  console.log('a · b =', a.matmul(b));
  console.log('a.requiresGrad =', a.requiresGrad);

  a.requiresGrad = true;
  b.requiresGrad = true;

  const value = torch.sum(torch.sin(a).add(torch.cos(b)));
  value.backward();
  console.log('\nd/da Σ sin(a) + cos(b):');
  console.log('a.grad  =', a.grad, ' cos(a)  =', torch.cos(a));
  console.log('b.grad  =', b.grad, '-sin(b)  =', torch.sin(b).neg());

  const aSum = torch.sum(a);
  aSum.backward();
  console.log('\nGradients add up until they are reset:');
  console.log('a.grad  =', a.grad, ' cos(a) + 1 =', torch.cos(a).add(1));
  console.log('b.grad  =', b.grad);

  a.grad?.zero_();
  b.grad = null;
  console.log('\nafter a.grad.zero_() and b.grad = null:', a.grad, b.grad);
}
