// Reads {"inputs": [[1, 2], [3, 4]]} off its bytes, or such lists alone: numbers in lists of one length at each depth, whole numbers to the last digit. It
// stops at the first byte that does not fit, where values may be missing takes null for one, at the first number over the limit and at the first list that
// is nested too deeply. Not a reader of any other JSON.

import { must } from '../../onnx/core/errors.js';
import type { Elements, Values } from './elements.js';
import type { Wrong } from './wrong.js';

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
const code = (character: string): number => character.charCodeAt(0);
const [quote, comma, colon] = [code('"'), code(','), code(':')];
const [open, close, begin, end] = [code('['), code(']'), code('{'), code('}')];
const isWord = (byte: number): boolean => byte >= 97 && byte <= 122;
const isSpace = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;
/** Digits, signs, point, e and E. */
const inNumber = Array.from({ length: 256 }, (_, byte) => '0123456789+-.eE'.includes(String.fromCharCode(byte)));

/** Elements row by row, and the lengths of the lists at each depth. */
export interface Lists {
  readonly values: Values;
  readonly dims: readonly number[];
}

interface ListOptions {
  /** What numbers become. */
  readonly elements: Elements;
  /** Numbers at most. */
  readonly most: number;
  /** The error for more. */
  readonly tooMany: Error;
  /** Makes the error of a message. */
  readonly wrong: Wrong;
  /** Whether null stands for a number that is not there. */
  readonly missing: boolean;
  /** Whether true and false stand for 1 and 0. */
  readonly truths: boolean;
  /** Whether lists come alone. */
  readonly alone: boolean;
}

type State = 'begin' | 'quote' | 'key' | 'colon' | 'list' | 'first' | 'value' | 'word' | 'next' | 'end' | 'done';

class ListReader {
  private state: State;
  private key = '';
  private text = '';
  private word = '';
  private depth = 0;
  /** Elements of each open list so far, and of each depth's closed ones. */
  private readonly counts: number[] = new Array(maxDepth + 1).fill(0);
  private readonly dims: number[] = [];
  /** The depth that holds numbers, once known. */
  private leaf: number | undefined;
  private values: Values;
  private length = 0;
  private readonly words: readonly string[];

  constructor(private readonly options: ListOptions) {
    const { elements, missing, truths, alone } = options;
    this.state = alone ? 'list' : 'begin';
    this.values = elements.room(256);
    this.words = [...(missing ? ['null'] : []), ...(truths ? ['true', 'false'] : [])];
  }

  /** Takes the next bytes. */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (inNumber[byte] && (this.state === 'value' || this.state === 'first')) {
        let until = at + 1;
        while (until < chunk.length && inNumber[chunk[until] as number]) until++;
        this.text += chunk.toString('latin1', at, Math.min(until, at + maxNumber + 1));
        if (this.text.length > maxNumber) throw this.options.wrong(`a number of over ${maxNumber} characters`);
        at = until - 1;
        // It may go on in the next bytes.
        if (until === chunk.length) return;
        this.ends();
      } else {
        if (this.text !== '') this.ends();
        if (!isSpace(byte) || this.state === 'key') this.take(byte);
      }
    }
  }

  /** What was read, once all bytes are there. */
  finish(): Lists {
    if (this.state !== (this.options.alone ? 'end' : 'done')) throw this.options.wrong(this.state === 'begin' ? noList : noJson);
    return { values: this.values.subarray(0, this.length), dims: this.dims };
  }

  private take(byte: number): void {
    const { alone } = this.options;
    if (this.state === 'begin') this.go(byte === begin, 'quote', noList);
    else if (this.state === 'quote') {
      this.key = '"';
      this.go(byte === quote, 'key', byte === end ? noList : noJson);
    } else if (this.state === 'key') this.takeKey(byte);
    else if (this.state === 'colon') this.go(byte === colon, 'list', noJson);
    else if (this.state === 'list') {
      if (byte !== open) throw this.options.wrong(alone ? 'expected a list of samples' : noList);
      this.opens();
    } else if (this.state === 'word') this.letter(byte);
    else if (byte === close && (this.state === 'first' || this.state === 'next')) this.closes();
    else if (this.state === 'first' || this.state === 'value') this.begins(byte);
    else if (this.state === 'next') this.go(byte === comma, 'value', noJson);
    else if (this.state === 'end') this.go(byte === end && !alone, 'done', byte === comma ? noList : noJson);
    else throw this.options.wrong(noJson);
  }

  private takeKey(byte: number): void {
    this.key += String.fromCharCode(byte);
    if (!key.startsWith(this.key)) throw this.options.wrong(noList);
    if (this.key === key) this.state = 'colon';
  }

  private go(fits: boolean, state: State, message: string): void {
    if (!fits) throw this.options.wrong(message);
    this.state = state;
  }

  private begins(byte: number): void {
    if (byte === open) this.opens();
    else if (isWord(byte) && this.words.some((word) => word.charCodeAt(0) === byte)) {
      this.word = '';
      this.state = 'word';
      this.letter(byte);
    } else throw this.options.wrong('"{tfn'.includes(String.fromCharCode(byte)) ? this.said(noNumbers) : noJson);
  }

  private letter(byte: number): void {
    this.word += String.fromCharCode(byte);
    if (!this.words.some((word) => word.startsWith(this.word))) throw this.options.wrong(noJson);
    if (this.word === 'null') this.push(Number.NaN);
    else if (this.word === 'true') this.push(must(this.options.elements.ofText('1'), 'true'));
    else if (this.word === 'false') this.push(must(this.options.elements.ofText('0'), 'false'));
  }

  /** What is wrong with the lists; of those alone the caller says which they are. */
  private said(what: string): string {
    return this.options.alone ? what : `"inputs" ${what}`;
  }

  private opens(): void {
    if (this.depth > 0) this.more();
    if (this.depth === this.leaf) throw this.options.wrong(this.said(noNumbers));
    if (this.depth === maxDepth) throw this.options.wrong(this.said(`is nested over ${maxDepth} levels`));
    this.depth++;
    this.counts[this.depth] = 0;
    this.state = 'first';
  }

  /** One element more in the list that is open. */
  private more(): void {
    this.counts[this.depth] = must(this.counts[this.depth], 'count') + 1;
  }

  private closes(): void {
    const count = must(this.counts[this.depth], 'count');
    if (count === 0) this.leaf ??= this.depth;
    this.dims[this.depth - 1] ??= count;
    if (this.dims[this.depth - 1] !== count) throw this.options.wrong(this.said(ragged));
    this.depth--;
    this.state = this.depth === 0 ? 'end' : 'next';
  }

  private ends(): void {
    if (!number.test(this.text)) throw this.options.wrong(noJson);
    const value = this.options.elements.ofText(this.text);
    if (value === undefined)
      throw this.options.wrong(`found ${this.text} at number ${this.length}, expected ${this.options.elements.expected}`);
    this.push(value);
    this.text = '';
  }

  private push(value: number | bigint): void {
    this.leaf ??= this.depth;
    if (this.leaf !== this.depth) throw this.options.wrong(this.said(noNumbers));
    if (this.length === this.options.most) throw this.options.tooMany;
    if (this.length === this.values.length) {
      const larger = this.options.elements.room(Math.min(this.length * 2, this.options.most));
      (larger as Float32Array).set(this.values as Float32Array);
      this.values = larger;
    }
    this.values[this.length++] = value;
    this.more();
    this.state = 'next';
  }
}

/** The lists of a body, or of one input of it. Throws what `wrong` makes, and `tooMany`. */
export function readLists(bytes: Buffer, options: ListOptions): Lists {
  const reader = new ListReader(options);
  reader.read(bytes);
  return reader.finish();
}
