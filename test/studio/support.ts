// The page of `prognet studio` as a user has it: the command in a process of its own, Chromium over what it serves.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { repo } from '../cli/support.js';

export interface StudioProcess {
  readonly url: string;
  /** Ctrl-C, and the exit code that follows. */
  stop(): Promise<number | null>;
}

/** Starts `prognet studio --json` on a free port. */
export async function startStudio(...args: string[]): Promise<StudioProcess> {
  const child = spawn('node', [join(repo, 'dist/cli/main.js'), 'studio', '--port', '0', '--json', '--quiet', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const line = await new Promise<string>((resolve, reject) => {
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.once('data', (chunk) => resolve(String(chunk)));
    child.on('close', () => reject(new Error(`prognet studio ended: ${stderr}`)));
  });
  const { url } = JSON.parse(line) as { url: string };
  return {
    url,
    stop: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/** A tab in which the network is open. `replaces`: the answer when the page asks before it replaces a network that was taught here. */
export async function openTab(context: BrowserContext, url: string, replaces = (_question: string) => true): Promise<Page> {
  const tab = await context.newPage();
  tab.on('dialog', (dialog) => void (replaces(dialog.message()) ? dialog.accept() : dialog.dismiss()));
  await tab.goto(url);
  await tab.getByRole('heading', { name: 'Answers' }).waitFor();
  return tab;
}

export const pad = (tab: Page) => tab.getByLabel('Drawing pad');

/** Draws strokes by the mouse; points are parts of the pad's side. */
export async function draw(tab: Page, ...strokes: readonly (readonly (readonly [number, number])[])[]): Promise<void> {
  const box = await pad(tab).boundingBox();
  if (box === null) throw new Error('the pad is not to be seen');
  for (const stroke of strokes) {
    for (const [i, [x, y]] of stroke.entries()) {
      await tab.mouse.move(box.x + x * box.width, box.y + y * box.height);
      if (i === 0) await tab.mouse.down();
    }
    await tab.mouse.up();
  }
}

/** Drops a file of base64 on an element, as a hand would. */
export async function drop(tab: Page, on: Locator, name: string, base64: string): Promise<void> {
  const files = await tab.evaluateHandle(
    `(async () => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(base64)}), (c) => c.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], ${JSON.stringify(name)}));
      return files;
    })()`,
  );
  for (const type of ['dragenter', 'dragover', 'drop']) await on.dispatchEvent(type, { dataTransfer: files });
}

export const zero = Array.from({ length: 25 }, (_, i): [number, number] => {
  const angle = (i / 24) * 2 * Math.PI;
  return [0.5 - 0.2 * Math.sin(angle), 0.5 - 0.3 * Math.cos(angle)];
});

/** Class and probability, in percent, of each entry of a task's answer, as the page shows them. */
export async function answerOf(
  tab: Page,
  task: string,
): Promise<{ names: string[]; percents: number[]; best: string; said: string }> {
  const article = tab.getByRole('article', { name: `Answer of ${task}` });
  await article.waitFor();
  const percents = await article.locator('.bars .number').allTextContents();
  return {
    names: await article.locator('.bars .name').allTextContents(),
    percents: percents.map((text) => Number(text.replace(/[>%\s]/g, ''))),
    best: (await article.locator('.winner').textContent()) ?? '',
    said: (await article.locator('.time').textContent()) ?? '',
  };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds that is serious or critical, a line each. */
export async function seriousViolations(tab: Page): Promise<string[]> {
  await tab.evaluate(axe);
  const found = (await tab.evaluate('axe.run()')) as {
    violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
  };
  return found.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html} ${n.failureSummary}`));
}

/**
 * What a finger on a narrow page would miss or not see, a line each: targets under 44 pixels a side, boxes beyond their card or the page's edge, texts
 * that are cut or stand outside the drawing that they are of. A tick's target is its label. Fields scroll what is typed into them; the drawing of the
 * network and the answers to many samples scroll in a place of their own, and may be wider than it.
 */
export async function tooSmallOrCut(tab: Page): Promise<string[]> {
  return (await tab.evaluate(`(() => {
    const wrong = [];
    const width = document.documentElement.clientWidth;
    const shown = (el) => el.getClientRects().length > 0;
    const called = (el) => el.tagName.toLowerCase() + (el.getAttribute('class') ? '.' + el.getAttribute('class') : '') + ' "' +
      (el.getAttribute('aria-label') || el.textContent.trim().slice(0, 60) || el.id) + '"';
    if (document.documentElement.scrollWidth > width) wrong.push('the page is ' + document.documentElement.scrollWidth + ' wide');
    for (const el of document.querySelectorAll('button, input, select, textarea, summary, a[href], [tabindex]')) {
      if (!shown(el)) continue;
      const target = el.type === 'checkbox' ? el.closest('label') : el;
      const box = target.getBoundingClientRect();
      if (box.width < 44 || box.height < 44) wrong.push(called(el) + ' is ' + box.width.toFixed(1) + ' x ' + box.height.toFixed(1));
    }
    for (const el of document.querySelectorAll('body *')) {
      if (!shown(el) || el.closest('.hidden, option')) continue;
      const box = el.getBoundingClientRect();
      if (box.width === 0) continue;
      const scroll = el.parentElement.closest('.scroll');
      const svg = el.parentElement.closest('svg');
      const place = svg ?? scroll ?? el.parentElement.closest('.card') ?? document.documentElement;
      const [left, right] = place === document.documentElement ? [0, width] : [place.getBoundingClientRect().left, place.getBoundingClientRect().right];
      if ((svg !== null || scroll === null) && (box.left < left - 0.5 || box.right > right + 0.5) && (svg === null || el.tagName === 'text'))
        wrong.push(called(el) + ' reaches from ' + box.left.toFixed(1) + ' to ' + box.right.toFixed(1) + ', its place from ' + left.toFixed(1) + ' to ' + right.toFixed(1));
      if (svg === null && el.scrollWidth > el.clientWidth + 1 && el.clientWidth > 0 && !el.classList.contains('scroll') && !['TEXTAREA', 'SELECT', 'INPUT'].includes(el.tagName) && getComputedStyle(el).display !== 'inline')
        wrong.push(called(el) + ' is ' + el.clientWidth + ' wide, what it holds ' + el.scrollWidth);
    }
    for (const el of document.querySelectorAll('.scroll:not(.drawing)'))
      if (el.scrollWidth > el.clientWidth + 1 && el.querySelector('table.all') === null)
        wrong.push(called(el) + ' is ' + el.clientWidth + ' wide, what it holds ' + el.scrollWidth);
    return wrong;
  })()`)) as string[];
}
