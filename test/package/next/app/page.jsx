'use client';

import { useEffect, useState } from 'react';
import { check } from './check.js';

export default function Page() {
  const [text, setText] = useState('training');
  useEffect(() => {
    globalThis.result = check().catch((error) => ({ error: String(error) }));
    globalThis.result.then(({ losses }) => setText(`loss ${losses?.at(-1)}`));
  }, []);
  return <p>{text}</p>;
}
