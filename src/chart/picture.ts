// What all pictures have in common: a title, what is said of them, colours in light and dark, and how they become a file or a part of a page. A file stands
// alone: no font, script or style comes from elsewhere.

/** A picture, not yet of a file or a page. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly title: string;
  /** What it shows, for those who do not see it. */
  readonly spoken: string;
  /** The elements in it. `id` begins every id in it, so that several pictures stand in one page. */
  readonly body: (id: string) => string;
}

/** Every file that is written here begins so: others are not written over. */
export const svgMark = '<svg xmlns="http://www.w3.org/2000/svg" class="prognet-chart"';

/** The width of a picture that is not asked for more: it fits half of a page, and a phone. */
export const usualWidth = 520;

type Colour = readonly [light: string, dark: string];

/** Of series, told apart by people who see few colours too, in dark as in light. */
export const seriesColours: readonly Colour[] = [
  ['#0b5cc0', '#7ab7ff'],
  ['#b54708', '#ffa366'],
  ['#0f7a4d', '#5fd9a4'],
  ['#8a2bb0', '#dba6ff'],
  ['#8f6400', '#f0c64f'],
  ['#b3175c', '#ff94bb'],
  ['#0b7285', '#66d9e8'],
  ['#495057', '#ced4da'],
];

/** One hue, from nothing to all. Each with the ink that is read on it. */
const heat: readonly (readonly [ground: Colour, ink: Colour])[] = [
  [
    ['#f1f5fb', '#1a2029'],
    ['#1b1f24', '#e9ecf0'],
  ],
  [
    ['#d9e5f5', '#1c2e47'],
    ['#1b1f24', '#e9ecf0'],
  ],
  [
    ['#b9d0ed', '#1f4069'],
    ['#1b1f24', '#e9ecf0'],
  ],
  [
    ['#90b5e1', '#25568d'],
    ['#1b1f24', '#ffffff'],
  ],
  [
    ['#6597d2', '#2c66a6'],
    ['#10141a', '#ffffff'],
  ],
  [
    ['#2f69b0', '#5c96d6'],
    ['#ffffff', '#0d1117'],
  ],
  [
    ['#1d549b', '#93bdec'],
    ['#ffffff', '#0d1117'],
  ],
  [
    ['#0c3570', '#cfe3fb'],
    ['#ffffff', '#0d1117'],
  ],
];
/** Two hues that nobody takes for each other, from below over neither to above. */
const sides: typeof heat = [
  [
    ['#a03f06', '#ffb380'],
    ['#ffffff', '#0d1117'],
  ],
  [
    ['#e39a62', '#c9763a'],
    ['#1b1f24', '#0d1117'],
  ],
  [
    ['#f6d6bb', '#5a371f'],
    ['#1b1f24', '#ffffff'],
  ],
  [
    ['#f3f4f5', '#22272f'],
    ['#1b1f24', '#e9ecf0'],
  ],
  [
    ['#b9d0ed', '#1f4069'],
    ['#1b1f24', '#e9ecf0'],
  ],
  [
    ['#6597d2', '#5c96d6'],
    ['#10141a', '#0d1117'],
  ],
  [
    ['#1d549b', '#93bdec'],
    ['#ffffff', '#0d1117'],
  ],
];
const grounds: Readonly<Record<string, Colour>> = {
  paper: ['#fff', '#14171c'],
  ink: ['#1b1f24', '#e9ecf0'],
  soft: ['#57606a', '#a8b0bb'],
  rule: ['#e1e4e8', '#2e343d'],
  ...Object.fromEntries(seriesColours.map((colour, i) => [`c${i}`, colour])),
  ...Object.fromEntries(heat.flatMap(([ground, ink], i) => [[`h${i}`, ground] as const, [`hi${i}`, ink] as const])),
  ...Object.fromEntries(sides.flatMap(([ground, ink], i) => [[`s${i}`, ground] as const, [`si${i}`, ink] as const])),
};

/** Ground and ink that stand on each other, in light and in dark: for a test of their contrast. */
export const heatPairs: readonly (readonly [ground: Colour, ink: Colour])[] = [...heat, ...sides];

/** How many steps a scale of colours has. */
export const heatSteps = { heat: heat.length, sides: sides.length } as const;

const rules: readonly (readonly [string, string])[] = [
  ['.paper', 'fill:var(--paper)'],
  ['text', 'font:14px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)'],
  ['.title', 'font-size:19px;font-weight:600'],
  ['.name', 'font-size:15px;font-weight:600'],
  ['.soft', 'fill:var(--soft);font-size:13px;font-weight:400'],
  ...seriesColours.flatMap((_, i) => [
    [`path.c${i}`, `stroke:var(--c${i})`] as const,
    [`circle.c${i}`, `fill:var(--c${i})`] as const,
  ]),
  ['path', 'stroke-width:2.2;stroke-linejoin:round;fill:none'],
  ['path.training', 'stroke-dasharray:6 4;stroke-width:1.8'],
  ['path.strong', 'stroke-width:3.6'],
  ['path.quiet', 'stroke:var(--soft);stroke-width:1.2;opacity:.55'],
  ['circle.quiet', 'fill:var(--soft)'],
  ['path.key', 'stroke:var(--ink)'],
  ['path.rule', 'stroke:var(--rule);stroke-width:1'],
  ['path.mark', 'stroke:var(--soft);stroke-width:1.5;stroke-dasharray:2 3'],
  ['circle', 'stroke:var(--paper);stroke-width:1.5'],
  ...seriesColours.flatMap((_, i) => [
    [`rect.c${i}`, `fill:var(--c${i})`] as const,
    [`rect.c${i}.open`, `fill:var(--paper);stroke:var(--c${i});stroke-width:1.5`] as const,
    [`path.spread.c${i}`, `fill:var(--c${i});stroke:none;opacity:.16`] as const,
    [`path.shape.c${i}`, `fill:var(--c${i});stroke:var(--paper);stroke-width:1`] as const,
  ]),
  ...heat.flatMap((_, i) => [
    [`rect.h${i}`, `fill:var(--h${i})`] as const,
    [`text.hi${i}`, `fill:var(--hi${i})`] as const,
    [`path.h${i}`, `stroke:var(--h${i})`] as const,
  ]),
  ...sides.flatMap((_, i) => [[`rect.s${i}`, `fill:var(--s${i})`] as const, [`text.si${i}`, `fill:var(--si${i})`] as const]),
  ['rect.cell', 'stroke:var(--paper);stroke-width:2'],
  ['rect.none', 'fill:none;stroke:var(--rule);stroke-width:1;stroke-dasharray:3 3'],
  ['rect.box', 'fill:var(--paper);stroke:var(--soft);stroke-width:1.3'],
  ['rect.head', 'stroke:var(--ink);stroke-width:2'],
  ['rect.new', 'stroke-dasharray:4 4'],
  ['text.small', 'font-size:12px'],
  ['path.link', 'stroke:var(--soft);stroke-width:1.4'],
  ['path.unknown', 'stroke:var(--soft);stroke-width:1.4;stroke-dasharray:3 4;opacity:.8'],
  ['path.whisker', 'stroke:var(--ink);stroke-width:1.4'],
];

/** Every rule is for these pictures alone, in whatever page they stand. `root` is what is theirs beside colours. */
function styleOf(root: string): string {
  const colours = (mode: 0 | 1) =>
    Object.entries(grounds)
      .map(([name, colour]) => `--${name}:${colour[mode]}`)
      .join(';');
  return `.prognet-chart{${colours(0)};background:var(--paper);display:block;${root}}
@media (prefers-color-scheme:dark){.prognet-chart{${colours(1)}}}
@media print{.prognet-chart{${colours(0)}}}
${rules.map(([selector, rule]) => `.prognet-chart ${selector}{${rule}}`).join('\n')}`;
}

/** For a page with pictures in it. */
export const pictureStyle = styleOf('max-width:none');

/** Text in an element or an attribute. */
export const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    // What XML has no place for, even escaped.
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');

/** Text that does not fit is cut, with a sign that it is. */
export const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function svgOf({ width, height, title, spoken, body }: Picture, id: string, style: string): string {
  return `${svgMark} width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}title ${id}desc">
<title id="${id}title">${escaped(title)}</title>
<desc id="${id}desc">${escaped(spoken)}</desc>
${style}<rect class="paper" width="${width}" height="${height}"/>
${body(id)}
</svg>
`;
}

/** A file of its own, light or dark as the reader's system is. */
export function svgFile(picture: Picture): string {
  const style = styleOf('margin:0 auto;max-width:100%;height:auto');
  return svgOf(
    picture,
    '',
    `<style>${style}\n@media (pointer:coarse) and (max-width:999px){.prognet-chart{width:100%}}</style>\n`,
  );
}

/** A part of a page that has `pictureStyle`. */
export const svgInPage = (picture: Picture, id: string): string => svgOf(picture, `${id}-`, '');

/** The light one in plain colours, for programs that make pixels of it and know no variables. */
export function svgPlain(picture: Picture): string {
  const style = rules.map(([selector, rule]) => `.prognet-chart ${selector}{${rule}}`).join('\n');
  return svgOf(picture, '', `<style>${style}</style>\n`).replace(
    /var\(--([a-z0-9]+)\)/g,
    (_, name: string) => grounds[name]?.[0] ?? 'none',
  );
}
