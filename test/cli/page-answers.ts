// What the page of `prognet deploy web` saves, against what `predict` writes for the same input.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { must } from '../../src/onnx/core/errors.js';
import { okIn } from './support.js';

/** The numbers of a CSV file of answers, and its other cells. */
export function cells(csv: string): { header: string; texts: string[]; numbers: number[] } {
  const [header = '', ...lines] = csv.trimEnd().split('\n');
  const all = lines.flatMap((line) => line.split(','));
  return { header, texts: all.filter((c) => Number.isNaN(Number(c))), numbers: all.map(Number).filter((v) => !Number.isNaN(v)) };
}

/** What the page saves of a task is what `predict` writes for the same input, up to rounding. */
export async function savesAsPredict(tab: Page, dir: string, task: string, input: string, tolerance = 1e-5): Promise<void> {
  const button = tab.getByRole('button', { name: `Save ${task} as CSV` });
  const [download] = await Promise.all([tab.waitForEvent('download'), button.click()]);
  expect(download.suggestedFilename()).toBe(`${task}-answers.csv`);
  const page = cells(readFileSync(await download.path(), 'utf8'));
  const own = cells(okIn(dir, 'predict', task, '--input', input, '--format', 'csv', '--quiet'));
  expect([page.header, page.texts]).toEqual([own.header, own.texts]);
  expect(page.numbers).toHaveLength(own.numbers.length);
  for (const [i, v] of page.numbers.entries()) expect(Math.abs(v - must(own.numbers[i], 'number'))).toBeLessThan(tolerance);
}
