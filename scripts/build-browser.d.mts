// Types of build-browser.mjs, for the tests that build pages the same way.
import type { BuildOptions } from 'esbuild';

/** Options for anything that runs in a page beside onnxruntime-web's files. */
export declare const browserBuild: BuildOptions;
