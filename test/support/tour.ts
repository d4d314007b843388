// A page that is followed to the letter: its fenced blocks, and an empty folder in which they are run with the package as npm packs it.
//
// A block is a file where its first line says so (```ts title=train.ts; several of one title are its parts, in order), else it is run by its
// language: sh. A `text` block is what the command before it prints, whatever its numbers. `<!-- not run: why -->` before a block leaves it out.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const repo = new URL('../..', import.meta.url).pathname;

export interface Block {
  readonly language: string;
  readonly title: string | undefined;
  readonly text: string;
  /** Why it is not run. */
  readonly left: string | undefined;
  /** In the page, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const found = page.matchAll(/(?:<!-- not run: (.+?) -->\n+)?^```(\w+)(?: title=(\S+))?\n([\s\S]*?)^```$/gm);
  return [...found].map(({ 0: all, 1: left, 2: language = '', 3: title, 4: text = '', index }) => ({
    language,
    title,
    text,
    left,
    line: page.slice(0, index + all.indexOf('```')).split('\n').length,
  }));
}

/** Packs the package once, as `npm publish` would. */
export function pack(folder: string): string {
  const said = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: repo,
    encoding: 'utf8',
  });
  return join(folder, JSON.parse(said)[0].filename);
}

interface Manifest {
  readonly bin?: string | Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A folder to follow a page in. `npm install` puts there what it names and nothing else, from what the repository has installed. */
export class Reader {
  readonly root: string;
  private at: string;
  private readonly bin: string;
  private readonly installed = new Set<string>();

  constructor(
    private readonly tarball: string,
    name: string,
  ) {
    this.root = mkdtempSync(join(tmpdir(), `prognet-${name}-`));
    this.at = this.root;
    this.bin = join(this.root, 'node_modules/.bin');
    mkdirSync(this.bin, { recursive: true });
  }

  /** Follows a block; what it prints. */
  follow(block: Block): string {
    if (block.title !== undefined) {
      const path = join(this.at, block.title);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, block.text, { flag: this.installed.has(path) ? 'a' : 'w' });
      this.installed.add(path);
      return '';
    }
    return block.text
      .trim()
      .split('\n')
      .map((line) => this.command(line))
      .join('');
  }

  private command(line: string): string {
    const [program, verb, ...names] = line.split(/\s+/);
    if (program === 'npm' && verb === 'install') {
      const [wanted = ''] = names.join(' ').split('#');
      // of `ort-training@npm:onnxruntime-web@1.19.2` the name
      for (const name of wanted.trim().split(' ')) if (!name.startsWith('-')) this.install(/^@?[^@]+/.exec(name)?.[0] ?? name);
      return '';
    }
    // npx of what is installed is what stands in .bin; the folder in which the line ends is where the next one begins.
    const script = `npx() { "$@"; }\n${line}\nend=$?; pwd > "${this.root}/.at"; exit $end`;
    const PATH = `${this.bin}:${join(repo, '.venv/bin')}:${process.env.PATH}`;
    const done = spawnSync('bash', ['-c', script], { cwd: this.at, encoding: 'utf8', env: { ...process.env, PATH } });
    if (done.status !== 0) throw new Error(`${line}\nended with ${done.status}: ${done.stdout}${done.stderr}`);
    this.at = readFileSync(join(this.root, '.at'), 'utf8').trim();
    return done.stdout + done.stderr;
  }

  private install(name: string): void {
    if (this.installed.has(name)) return;
    this.installed.add(name);
    const place = join(this.root, 'node_modules', name);
    mkdirSync(dirname(place), { recursive: true });
    if (name === 'prognet') {
      mkdirSync(place);
      execFileSync('tar', ['xzf', this.tarball, '-C', place, '--strip-components', '1']);
    } else if (existsSync(join(repo, 'node_modules', name))) symlinkSync(join(repo, 'node_modules', name), place);
    else return; // of one platform, or within another package's folder
    const { bin = {}, dependencies = {} }: Manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
    for (const [command, file] of Object.entries(typeof bin === 'string' ? { [name]: bin } : bin)) {
      const to = join(this.bin, command);
      if (existsSync(to)) continue;
      if (name === 'prognet') chmodSync(join(place, file), 0o755); // as npm does
      symlinkSync(join(place, file), to);
    }
    for (const needed of Object.keys(dependencies)) this.install(needed);
  }
}

const number = /[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?/g;
const flat = (text: string) => text.replace(number, '#').replace(/[ \t]+/g, ' ');

/** The lines of a `text` block that were not printed, numbers and widths aside; `...` stands for any. */
export function notPrinted(block: Block, printed: string): string[] {
  const lines = flat(printed)
    .split('\n')
    .map((line) => line.trim());
  return block.text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '...' && !lines.includes(flat(line)));
}
