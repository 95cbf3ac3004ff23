import { render } from 'preact';
import { App } from './app.tsx';
import { loadDataset, settings } from './state.ts';

const root = document.getElementById('app');
if (root === null) throw new Error('the page has no element #app');
root.replaceChildren();
render(<App />, root);
// Once the page has been painted: the images are there before anybody asks for them.
requestAnimationFrame(() => setTimeout(() => loadDataset(settings.value.dataset)));
