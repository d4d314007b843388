// Chromium as Debian installs it, and the software Vulkan device that comes with it: for browser tests, and for WebGPU in Node.
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The browser's executable; undefined where none is installed. scripts/browser-setup installs it. */
export const chromium = process.env.CHROMIUM ?? onPath('chromium') ?? onPath('chromium-browser') ?? onPath('google-chrome');

/** What stands in for the tests that need a browser where there is none. */
export const noChromium = 'Chromium is not installed: sh scripts/browser-setup';

// Nothing is left out in CI.
if (chromium === undefined && process.env.CI === 'true') throw new Error(noChromium);

/** Where Chromium keeps its libraries: the folder of its package. */
const folders = [
  '/usr/lib/chromium',
  '/usr/lib/chromium-browser',
  '/opt/google/chrome',
  ...(chromium ? [dirname(chromium)] : []),
];
const folder = folders.find((f) => existsSync(join(f, 'vk_swiftshader_icd.json')));

/** The environment in which onnxruntime-node finds SwiftShader; undefined where it is not installed. It must stand before the process begins. */
export const swiftshaderEnv: NodeJS.ProcessEnv | undefined =
  folder === undefined || !readdirSync(folder).includes('libvulkan.so.1')
    ? undefined
    : {
        ...process.env,
        VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
        LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
      };
