// Reads {"inputs": [[1, 2], [3, 4]]} as its bytes come: lists of numbers of one length at each depth. It never holds the text, and stops at the
// first byte that does not fit, where values may be missing takes null for one, at the first number over the limit and at the first list that is nested too deeply. Not a reader of any other JSON.

/** Levels of lists at most. */
const maxDepth = 16;
/** Characters of one number at most. */
const maxNumber = 128;

const noJson = 'the body is no JSON';
const noList = 'expected {"inputs": [...]}, a list of samples, and nothing beside it';
const noNumbers = '"inputs" must be numbers in lists';
const ragged = '"inputs" must be lists of one length at each depth';

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const key = '"inputs"';
const [quote, comma, colon, open, close, begin, end] = [...'",:[]{}'].map((c) => c.charCodeAt(0));
const letterN = 'n'.charCodeAt(0);
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
  #values = new Float32Array(256);
  #length = 0;

  /**
   * @param most numbers at most
   * @param tooMany the error for more
   * @param wrong makes the error of a message
   * @param missing whether null stands for a number that is not there
   */
  constructor(most, tooMany, wrong, missing = false) {
    this.missing = missing;
    this.most = most;
    this.tooMany = tooMany;
    this.wrong = wrong;
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
    if (this.#state !== 'done') throw this.wrong(this.#state === 'begin' ? noList : noJson);
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
        if (byte !== open) throw this.wrong(noList);
        return this.#open();
      case 'first':
        if (byte === close) return this.#close();
        return this.#value(byte);
      case 'value':
        return this.#value(byte);
      case 'null':
        this.#word += String.fromCharCode(byte);
        if (!'null'.startsWith(this.#word)) throw this.wrong(noJson);
        if (this.#word === 'null') this.#push(Number.NaN);
        return;
      case 'next':
        if (byte === close) return this.#close();
        return this.#go(byte === comma, 'value', noJson);
      case 'end':
        return this.#go(byte === end, 'done', byte === comma ? noList : noJson);
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
    if (this.missing && byte === letterN) {
      this.#word = 'n';
      this.#state = 'null';
      return;
    }
    throw this.wrong('"{tfn'.includes(String.fromCharCode(byte)) ? noNumbers : noJson);
  }

  #open() {
    if (this.#depth > 0) this.#counts[this.#depth]++;
    if (this.#depth === this.#leaf) throw this.wrong(noNumbers);
    if (this.#depth === maxDepth) throw this.wrong(`"inputs" is nested over ${maxDepth} levels`);
    this.#depth++;
    this.#counts[this.#depth] = 0;
    this.#state = 'first';
  }

  #close() {
    const count = this.#counts[this.#depth];
    if (count === 0) this.#leaf ??= this.#depth;
    this.#dims[this.#depth - 1] ??= count;
    if (this.#dims[this.#depth - 1] !== count) throw this.wrong(ragged);
    this.#depth--;
    this.#state = this.#depth === 0 ? 'end' : 'next';
  }

  #number() {
    if (!number.test(this.#text)) throw this.wrong(noJson);
    this.#push(Number(this.#text));
    this.#text = '';
  }

  #push(value) {
    this.#leaf ??= this.#depth;
    if (this.#leaf !== this.#depth) throw this.wrong(noNumbers);
    if (this.#length === this.most) throw this.tooMany;
    if (this.#length === this.#values.length) {
      const larger = new Float32Array(Math.min(this.#length * 2, this.most));
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
    this.#counts[this.#depth]++;
    this.#state = 'next';
  }
}
