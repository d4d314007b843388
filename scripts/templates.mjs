// Writes the data of the templates of `prognet init` into templates/init: tables of customers, offers, houses and pumps, and pictures of shapes. Every number
// is drawn from a seed, by rules that stand below: nothing is anybody's data. `--check` compares instead. Those of `text` are scripts/python/text_template.py's.
//   node scripts/templates.mjs [--check]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const root = new URL('../templates/init', import.meta.url).pathname;
const check = process.argv.includes('--check');
const different = [];

/** Numbers from 0 to 1 (mulberry32). */
function drawing(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Whole numbers, choices, sums of draws as a bell, and a cell that is empty now and then. */
function of(seed) {
  const draw = drawing(seed);
  const whole = (low, high) => low + Math.floor(draw() * (high - low + 1));
  return {
    draw,
    whole,
    choice: (list) => list[whole(0, list.length - 1)],
    bell: () => draw() + draw() + draw() + draw() - 2,
    cell: (value, empty) => (draw() < empty ? '' : value),
  };
}

/** Of pictures the pixels, since encoders differ. */
const content = async (name, bytes) =>
  name.endsWith('.png') ? await sharp(bytes).removeAlpha().raw().toBuffer() : Buffer.from(bytes);

async function write(name, bytes) {
  const file = join(root, name);
  if (check) {
    if (!(await content(name, bytes)).equals(await content(name, readFileSync(file)))) different.push(name);
    return;
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

const csv = (header, rows) => `${[header, ...rows].map((row) => row.join(',')).join('\n')}\n`;

/** What is known of a customer, and how likely this one leaves. */
function customer({ whole, choice, draw, bell }) {
  const [age, city, plan] = [whole(18, 80), choice(['Basel', 'Bern', 'Zug']), choice(['basic', 'plus', 'pro'])];
  const monthly = { basic: 19, plus: 39, pro: 79 }[plan] + whole(0, 10);
  const [calls, months] = [Math.floor(8 * draw() * draw()), whole(1, 60)];
  const leaves = 0.9 * calls - 0.06 * months + (city === 'Zug' ? 1.2 : 0) + (plan === 'basic' ? 0.8 : -0.4) - 0.4 + bell();
  return { age, city, plan, monthly, calls, months, leaves };
}
const known = ['age', 'city', 'plan', 'monthly', 'calls', 'months'];

function customers() {
  const random = of(1);
  const rows = Array.from({ length: 400 }, (_, i) => {
    const c = customer(random);
    const row = [random.cell(c.age, 0.06), c.city, c.plan, c.monthly, c.calls, random.cell(c.months, 0.05)];
    return [`C${1000 + i}`, ...row, c.leaves > 0.6 ? 'yes' : 'no'];
  });
  return csv(['customer', ...known, 'left'], rows);
}

/** Those who were offered something: what they took. */
function offers() {
  const random = of(2);
  const rows = Array.from({ length: 240 }, (_, i) => {
    const c = customer(random);
    const loyal = 0.05 * c.months - 0.5 * c.calls + random.bell() * 0.6;
    const taken = loyal > 1.2 ? (c.monthly > 45 ? 'phone' : 'upgrade') : 'nothing';
    return [`C${2000 + i}`, random.cell(c.age, 0.06), c.city, c.plan, c.monthly, c.calls, c.months, taken];
  });
  return csv(['customer', ...known, 'took'], rows);
}

/** Prices in thousands, rents a month. */
function houses() {
  const random = of(3);
  const rows = Array.from({ length: 400 }, () => {
    const [district, built, rooms] = [
      random.choice(['centre', 'lake', 'north', 'west']),
      random.whole(1900, 2024),
      random.whole(1, 7),
    ];
    const area = 18 * rooms + random.whole(5, 40);
    const worth = area * { centre: 9.5, lake: 12, north: 6.5, west: 7.5 }[district] + (built - 1900) * 1.8 + 25 * random.bell();
    const rent = 250 + area * { centre: 17, lake: 21, north: 13, west: 14 }[district] + (built - 1900) * 3 + 60 * random.bell();
    return [area, rooms, district, random.cell(built, 0.06), Math.round(worth), Math.round(rent)];
  });
  return csv(['area', 'rooms', 'district', 'built', 'price', 'rent'], rows);
}

const readings = 16;
const makers = ['Alba', 'Brun', 'Cern'];

/** A pump and its vibration: a worn bearing swings more and more, a leaking seal shakes from one reading to the next. */
function pump({ whole, choice, draw, bell }) {
  const [maker, age, load] = [choice(makers), whole(0, 20), whole(20, 100)];
  const worn = draw() * age * (maker === 'Cern' ? 0.14 : 0.1);
  const leaks = draw() * draw() * load * 0.025;
  const [turn, begin] = [0.7 + 0.6 * draw(), 6.28 * draw()];
  const vibration = Array.from({ length: readings }, (_, t) => {
    const swing = (0.5 + (worn * t) / readings) * Math.sin(turn * t + begin);
    return (swing + (t % 2 === 0 ? leaks : -leaks) + 0.1 * bell()).toFixed(2);
  });
  return { maker, age, load, worn, leaks, vibration };
}
const pumpColumns = ['pump', 'maker', 'age', 'load', ...Array.from({ length: readings }, (_, t) => `v${t + 1}`)];

function pumps(seed, count, first, column, answer) {
  const random = of(seed);
  const rows = Array.from({ length: count }, (_, i) => {
    const p = pump(random);
    return [`P${first + i}`, p.maker, p.age, p.load, ...p.vibration, answer(p, random)];
  });
  return csv([...pumpColumns, column], rows);
}

const side = 24;
const inside = {
  circle: (x, y, r) => x * x + y * y < r * r,
  square: (x, y, r) => Math.max(Math.abs(x), Math.abs(y)) < r * 0.85,
  triangle: (x, y, r) => y < r * 0.7 && y > -r && Math.abs(x) < (y + r) * 0.6,
};
const colours = { red: [214, 52, 48], green: [58, 168, 76], blue: [52, 92, 210], yellow: [228, 196, 52] };

/** A shape of one colour on a darker or lighter ground. */
async function picture({ whole, choice }, shape, colour) {
  const [cx, cy, r, ground] = [whole(10, 13), whole(10, 13), whole(6, 9), choice([12, 30, 250])];
  const pixels = Buffer.alloc(side * side * 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      for (let c = 0; c < 3; c++) pixels[(y * side + x) * 3 + c] = inside[shape](x - cx, y - cy, r) ? colours[colour][c] : ground;
  return await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png({ palette: true, colours: 4 })
    .toBuffer();
}

async function pictures(folder, seed, classes, made) {
  const random = of(seed);
  for (const [part, count] of [
    ['train', 40],
    ['test', 12],
  ])
    for (const name of classes)
      for (let i = 0; i < count; i++)
        await write(`images/${folder}/${part}/${name}/${String(i).padStart(2, '0')}.png`, await made(random, name));
}

await write('tabular/customers.csv', customers());
await write('tabular/offers.csv', offers());
await write('regression/houses.csv', houses());
const fails = ({ worn, leaks, load }, { bell }) => (worn + leaks + load / 200 + 0.1 * bell() > 1.2 ? 'yes' : 'no');
await write('sensors/pumps.csv', pumps(6, 400, 100, 'fails', fails));
const needs = ({ worn, leaks }) => (Math.max(worn, leaks) < 0.6 ? 'nothing' : worn > leaks ? 'bearing' : 'seal');
await write('sensors/repairs.csv', pumps(7, 240, 600, 'needs', needs));
await pictures('shapes', 4, Object.keys(inside), (random, shape) => picture(random, shape, random.choice(Object.keys(colours))));
await pictures('colours', 5, ['blue', 'green', 'red'], (random, colour) =>
  picture(random, random.choice(Object.keys(inside)), colour),
);

if (different.length > 0) {
  console.error(`templates/init/${different[0]} is not what scripts/templates.mjs writes`);
  process.exit(1);
}
