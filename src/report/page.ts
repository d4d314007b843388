// A report as one HTML file: nothing is fetched, no script runs, every text is escaped. What it shows, report.ts says.
import { escaped, pictureStyle, svgInPage, usualWidth } from '../chart/picture.js';
import { type Cell, type Figure, type Report, type Section, shownRows, type Table, type TableColumn, written } from './report.js';
import { pageStyle } from './style.js';

/** Every page that is written here begins so: other files are not written over. */
export const pageMark = '<!doctype html>\n<html lang="en" data-prognet="report">';

/** The page may show what it holds, and load nothing. */
const policy = "default-src 'none'; style-src 'unsafe-inline'";

const isNumber = ({ as }: TableColumn): boolean => as !== 'text' && as !== 'hash' && as !== 'when';
/** Texts that are narrow only where they must be. */
const long = 30;
/** Texts that stay in one line. */
const short = 20;

/** What the page shows in a cell, the deviation of the column after it too. */
function shown(row: readonly Cell[], i: number, columns: readonly TableColumn[]): string {
  const own = written(row[i] ?? null, columns[i]?.as ?? 'text');
  const deviation = columns[i + 1]?.as === 'deviation' ? (row[i + 1] ?? null) : null;
  return escaped(deviation === null ? own : `${own} ${written(deviation, 'deviation')}`);
}

function cell(row: readonly Cell[], column: TableColumn, i: number, columns: readonly TableColumn[]): string {
  if (column.as === 'deviation') return '';
  const text = shown(row, i, columns);
  if (i === 0) return `<th scope="row"${text.length > long ? '' : ' class="short"'}>${text}</th>`;
  const name = isNumber(column)
    ? 'number'
    : column.as === 'hash'
      ? 'hash'
      : text.length > long
        ? 'text long'
        : text.length > short
          ? 'text'
          : 'text short';
  return `<td class="${name}">${text}</td>`;
}

/** What is wider than the page is scrolled by itself, by the keyboard too. */
const scrolled = (what: string, label: string): string =>
  `<div class="scroll" role="group" tabindex="0" aria-label="${escaped(label)}">${what}</div>`;

function tableHtml(table: Table): string {
  const { caption, columns, rows, folded } = table;
  const some = shownRows(table);
  const head = columns
    .filter(({ as }) => as !== 'deviation')
    .map((c) => `<th scope="col"${isNumber(c) ? ' class="number"' : ''}>${escaped(c.name)}</th>`)
    .join('');
  const body = some.map((row) => `<tr>${columns.map((c, i) => cell(row, c, i, columns)).join('')}</tr>`).join('\n');
  const left = rows.length > some.length ? `${caption} (${some.length} of ${rows.length} rows)` : caption;
  const html = scrolled(
    `<table><caption>${escaped(left)}</caption><thead><tr>${head}</tr></thead>\n<tbody>${body}</tbody></table>`,
    caption,
  );
  return folded ? `<details><summary>In numbers: ${escaped(left)}</summary>${html}</details>` : html;
}

function figureHtml({ name, picture, says, alone }: Figure): string {
  const svg = svgInPage(picture, name);
  const usual = picture.width <= usualWidth && alone !== true;
  return `<figure class="${usual ? 'usual' : 'wide'}">${scrolled(svg, picture.title)}<figcaption>${escaped(says)}</figcaption></figure>`;
}

function sectionHtml({ id, heading, says, figures, tables }: Section): string {
  const pictures = figures.length === 0 ? '' : `<div class="figures">${figures.map(figureHtml).join('\n')}</div>`;
  return `<section class="part" id="${id}" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${escaped(heading)}</h2>
${says.map((text) => `<p>${escaped(text)}</p>`).join('\n')}
${pictures}
${tables.map(tableHtml).join('\n')}</section>`;
}

/** The whole file. */
export function reportPage(report: Report): string {
  const { title, about, created, version, sections } = report;
  const links = sections.map(({ id, heading }) => `<li><a href="#${id}">${escaped(heading)}</a></li>`).join('');
  return `${pageMark}
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${escaped(title)}</title>
<style>${pageStyle}
${pictureStyle}</style></head>
<body><header><h1>${escaped(title)}</h1><p>${escaped(about)}</p><p class="quiet">Written by prognet ${escaped(version)} on ${written(created, 'when')}.</p>
<nav aria-label="Parts of this report"><ul>${links}</ul></nav></header>
<main>
${sections.map(sectionHtml).join('\n')}
</main>
<footer>The figures of this page as SVG and PNG: prognet report --figures DIR. Its numbers in full, as JSON and CSV: prognet report --data DIR.</footer>
</body></html>
`;
}
