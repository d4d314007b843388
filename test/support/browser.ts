// Chromium driven by playwright-core, with a WebGPU adapter in software. Only for where `chromium` is found.
import { type Browser, chromium as playwright } from 'playwright-core';
import { must } from '../../src/onnx/core/errors.js';
import { chromium } from './swiftshader.js';

/** @param webgpu whether pages find an adapter */
export async function launch(webgpu = true): Promise<Browser> {
  return await playwright.launch({
    executablePath: must(chromium, 'chromium'),
    args: [
      ...(webgpu ? ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'] : ['--disable-features=WebGPU']),
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Chromium's sandbox does not start as root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
}
