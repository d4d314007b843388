// The look of a report's page: on a screen light or dark as the reader's system is, on a phone, on paper.

/** Pictures have a style of their own. */
export const pageStyle = `:root{color-scheme:light dark;--ground:#f6f6f4;--card:#fff;--text:#1b1f24;--quiet:#57606a;--line:#dfe1e4;--accent:#0b5cc0}
@media (prefers-color-scheme:dark){:root{--ground:#0e1013;--card:#14171c;--text:#e9ecf0;--quiet:#a8b0bb;--line:#2e343d;--accent:#7ab7ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main,header,footer{max-width:1140px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:30px;line-height:1.2;margin:0 0 8px;overflow-wrap:anywhere}
h2{font-size:22px;line-height:1.25;margin:0 0 8px}
p{max-width:76ch;margin:0 0 12px;overflow-wrap:anywhere}
.quiet,footer,figcaption{color:var(--quiet)}
a{color:var(--accent)}
nav ul{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:16px 0 0;padding:0}
nav a{display:inline-block;padding:4px 0}
section.part{margin:24px 0;padding:22px;background:var(--card);border:1px solid var(--line);border-radius:10px}
.figures{display:flex;flex-wrap:wrap;gap:24px;align-items:flex-start}
figure{margin:8px 0 16px;max-width:100%;min-width:0}
figure.usual{flex:1 1 460px;max-width:560px}
figure.wide{flex:1 1 100%}
figure.usual svg{width:100%;height:auto}
figcaption{font-size:14.5px;max-width:76ch;margin-top:8px;overflow-wrap:anywhere}
.scroll{overflow-x:auto;max-width:100%}
.scroll:focus-visible,a:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;font-size:14.5px;margin:0 0 8px}
caption{text-align:left;font-weight:600;padding:8px 0 6px;caption-side:top}
th,td{padding:5px 14px 5px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:600;white-space:nowrap;border-bottom-width:2px}
th.number,td.number{text-align:right;white-space:nowrap}
tbody th.short{white-space:nowrap}
tbody th{font-weight:600;max-width:34ch;overflow-wrap:break-word}
td.text{max-width:44ch;overflow-wrap:break-word}
td.short{white-space:nowrap}
td.long{min-width:24ch}
td.hash{font:12.5px/1.4 ui-monospace,"DejaVu Sans Mono",monospace;min-width:36ch;max-width:36ch;overflow-wrap:anywhere}
details{margin:0 0 12px}
summary{cursor:pointer;padding:6px 0;color:var(--accent);overflow-wrap:anywhere}
footer{font-size:14.5px;padding-bottom:32px}
@media (max-width:600px){main{padding:0 4px}header,footer{padding-left:12px;padding-right:12px}section.part{padding:16px 8px;margin:14px 0}h1{font-size:25px}figure.usual{flex-basis:100%}figure.usual .prognet-chart text.soft[text-anchor]{font-size:16px}figure.usual .prognet-chart text.name{font-size:17px}figure.usual .prognet-chart text.small{font-size:14px}}
@media print{
:root{color-scheme:light;--ground:#fff;--card:#fff;--text:#000;--quiet:#444;--line:#bbb;--accent:#000}
body{font-size:10.5pt}
main,header,footer{max-width:none;padding:0}
nav{display:none}
section.part{border:0;padding:0;margin:14pt 0}
h2,caption{break-after:avoid}
figure,tr{break-inside:avoid}
figure.usual{flex:0 1 47%;max-width:47%}
.figures{gap:12pt}
.scroll{overflow:visible}
figure.wide svg{max-width:100%;height:auto}
table{font-size:8.5pt;width:100%}
th,td{padding:2pt 6pt 2pt 0}
thead th,th.number,td.number{white-space:normal}
td.hash{font-size:7pt;min-width:0}
td.text{overflow-wrap:anywhere}
figcaption{font-size:9pt;margin-top:3pt}
h2{font-size:14pt}h1{font-size:20pt}
td.long{min-width:0}
details:not([open]){display:none}
@page{margin:14mm}
}`;
