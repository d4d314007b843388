// What Vite built for a page, served as it is to be and opened in Chromium. Only for where `chromium` is found.
import type { Page } from 'playwright-core';
import { must } from '../../src/onnx/core/errors.js';
import { launch } from './browser.js';

/** Whatever comes of it, server and browser end. `use` opens the page, once it listens to what it wants to hear. */
export async function previewed(root: string, use: (tab: Page, open: () => Promise<unknown>) => Promise<void>): Promise<void> {
  const { preview } = await import('vite');
  const server = await preview({ root, logLevel: 'error', preview: { port: 0 } });
  const browser = await launch(false);
  try {
    const tab = await browser.newPage();
    await use(tab, () => tab.goto(must(server.resolvedUrls?.local[0], 'address')));
  } finally {
    await browser.close();
    await server.close();
  }
}
