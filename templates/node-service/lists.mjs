// Reads {"inputs": [[1, 2], [3, 4]]} as its bytes come, or such lists alone: numbers in lists of one length at each depth. It never holds the text, and
// stops at the first byte that does not fit, where values may be missing takes null for one, at the first number over the limit and at the first list that
// is nested too deeply. Not a reader of any other JSON.

/** Levels of lists at most. */
const maxDepth = 16;
/** Characters of one number at most. */
const maxNumber = 128;

const noJson = 'the body is no JSON';
const noList = 'expected {"inputs": [...]}, a list of samples, and nothing beside it';
const noNumbers = 'must be numbers in lists';
const ragged = 'must be lists of one length at each depth';

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const key = '"inputs"';
const [quote, comma, colon, open, close, begin, end] = [...'",:[]{}'].map((c) => c.charCodeAt(0));
const isWord = (byte) => byte >= 97 && byte <= 122;
const words = { true: '1', false: '0' };
const isSpace = (byte) => byte === 32 || byte === 10 || byte === 13 || byte === 9;
/** Digits, signs, point, e and E. */
const inNumber = Array.from({ length: 256 }, (_, byte) => '0123456789+-.eE'.includes(String.fromCharCode(byte)));

export class ListReader {
  #state = 'begin';
  #key = '';
  #text = '';
  #word = '';
  #depth = 0;
  /** Elements of each open list so far, and of each depth's closed ones. */
  #counts = new Array(maxDepth + 1).fill(0);
  #dims = [];
  /** The depth that holds numbers, once known. */
  #leaf;
  #values;
  #length = 0;
  #words;

  /**
   * @param elements what numbers become (elements.mjs)
   * @param most numbers at most
   * @param tooMany the error for more
   * @param wrong makes the error of a message
   * @param missing whether null stands for a number that is not there
   * @param truths whether true and false stand for 1 and 0
   * @param alone whether lists come alone
   */
  constructor({ elements, most, tooMany, wrong, missing = false, truths = false, alone = false }) {
    this.elements = elements;
    this.most = most;
    this.tooMany = tooMany;
    this.wrong = wrong;
    this.alone = alone;
    if (alone) this.#state = 'list';
    this.#values = elements.room(256);
    this.#words = [...(missing ? ['null'] : []), ...(truths ? ['true', 'false'] : [])];
  }

  /** Takes the next bytes. */
  read(chunk) {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (inNumber[byte] && (this.#state === 'value' || this.#state === 'first')) {
        let until = at + 1;
        while (until < chunk.length && inNumber[chunk[until]]) until++;
        this.#text += chunk.latin1Slice(at, Math.min(until, at + maxNumber + 1));
        if (this.#text.length > maxNumber) throw this.wrong(`a number of over ${maxNumber} characters`);
        at = until - 1;
        // It may go on in the next bytes.
        if (until === chunk.length) return;
        this.#number();
      } else {
        if (this.#text !== '') this.#number();
        if (!isSpace(byte) || this.#state === 'key') this.#take(byte);
      }
    }
  }

  /** What was read, once all bytes are there. */
  finish() {
    if (this.#state !== (this.alone ? 'end' : 'done')) throw this.wrong(this.#state === 'begin' ? noList : noJson);
    return { values: this.#values.subarray(0, this.#length), dims: this.#dims };
  }

  #take(byte) {
    switch (this.#state) {
      case 'begin':
        return this.#go(byte === begin, 'quote', noList);
      case 'quote':
        this.#key = '"';
        return this.#go(byte === quote, 'key', byte === end ? noList : noJson);
      case 'key':
        this.#key += String.fromCharCode(byte);
        if (!key.startsWith(this.#key)) throw this.wrong(noList);
        if (this.#key === key) this.#state = 'colon';
        return;
      case 'colon':
        return this.#go(byte === colon, 'list', noJson);
      case 'list':
        if (byte !== open) throw this.wrong(this.alone ? 'expected a list of samples' : noList);
        return this.#open();
      case 'first':
        if (byte === close) return this.#close();
        return this.#value(byte);
      case 'value':
        return this.#value(byte);
      case 'word':
        return this.#letter(byte);
      case 'next':
        if (byte === close) return this.#close();
        return this.#go(byte === comma, 'value', noJson);
      case 'end':
        return this.#go(byte === end && !this.alone, 'done', byte === comma ? noList : noJson);
      default:
        throw this.wrong(noJson);
    }
  }

  #go(fits, state, message) {
    if (!fits) throw this.wrong(message);
    this.#state = state;
  }

  #value(byte) {
    if (byte === open) return this.#open();
    if (isWord(byte) && this.#words.some((word) => word.charCodeAt(0) === byte)) {
      this.#word = '';
      this.#state = 'word';
      return this.#letter(byte);
    }
    throw this.wrong('"{tfn'.includes(String.fromCharCode(byte)) ? this.#said(noNumbers) : noJson);
  }

  #letter(byte) {
    this.#word += String.fromCharCode(byte);
    if (!this.#words.some((word) => word.startsWith(this.#word))) throw this.wrong(noJson);
    if (this.#word === 'null') this.#push(Number.NaN);
    else if (Object.hasOwn(words, this.#word)) this.#push(this.elements.ofText(words[this.#word]));
  }

  /** What is wrong with the lists; of those alone the caller says which they are. */
  #said(what) {
    return this.alone ? what : `"inputs" ${what}`;
  }

  #open() {
    if (this.#depth > 0) this.#counts[this.#depth]++;
    if (this.#depth === this.#leaf) throw this.wrong(this.#said(noNumbers));
    if (this.#depth === maxDepth) throw this.wrong(this.#said(`is nested over ${maxDepth} levels`));
    this.#depth++;
    this.#counts[this.#depth] = 0;
    this.#state = 'first';
  }

  #close() {
    const count = this.#counts[this.#depth];
    if (count === 0) this.#leaf ??= this.#depth;
    this.#dims[this.#depth - 1] ??= count;
    if (this.#dims[this.#depth - 1] !== count) throw this.wrong(this.#said(ragged));
    this.#depth--;
    this.#state = this.#depth === 0 ? 'end' : 'next';
  }

  #number() {
    if (!number.test(this.#text)) throw this.wrong(noJson);
    const value = this.elements.ofText(this.#text);
    if (value === undefined)
      throw this.wrong(`found ${this.#text} at number ${this.#length}, expected ${this.elements.expected}`);
    this.#push(value);
    this.#text = '';
  }

  #push(value) {
    this.#leaf ??= this.#depth;
    if (this.#leaf !== this.#depth) throw this.wrong(this.#said(noNumbers));
    if (this.#length === this.most) throw this.tooMany;
    if (this.#length === this.#values.length) {
      const larger = this.elements.room(Math.min(this.#length * 2, this.most));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
    this.#counts[this.#depth]++;
    this.#state = 'next';
  }
}
