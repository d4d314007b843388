// Put before code that shows outputs by `console.log(name, dims, data)`, in Node or in a page: keeps them in `shown`, and in Node prints them as JSON
// at the end.
globalThis.shown = [];
console.log = (name, dims, data) => {
  const halves = data instanceof Uint16Array; // float16 where there is no Float16Array
  globalThis.shown.push({ name, dims, halves, data: Array.from(data, (v) => (typeof v === 'string' ? v : Number(v))) });
};
globalThis.process?.on('exit', () => process.stdout.write(JSON.stringify(globalThis.shown)));
