// What a source of data is: one kind of file or folder, told by its place. Reads nothing; list.ts names them all.
import type { Feature } from '../../model/description/features.js';
import type { NetworkInput } from '../../model/progressive/inputs.js';
import type { TargetHead } from '../checks.js';
import type { Dataset, NamedSet, Split } from '../dataset.js';
import type { ReadingOptions, Step } from '../reading.js';
import type { DataOptions } from '../schema.js';

/** The targets of one of several heads. */
export interface TargetColumns {
  /** Its name. */
  readonly head: string;
  /** Whether the data entry says which: otherwise an array is called as the head, columns as the numbers or labels of the head. */
  readonly said: boolean;
  /** Columns of a table by name or index, or the name of an array. */
  readonly of: string | number | readonly (string | number)[];
  /** Columns that are targets of other heads. */
  readonly others: readonly (string | number)[];
}

/** What a source is read with. */
export interface SourceContext extends ReadingOptions {
  /** Folder that relative paths start from: that of the description. */
  readonly baseDir: string;
  /** Place of the `data` entry in the description, for errors; default `data`. */
  readonly path?: string;
  /** What the targets are for: they are checked while their file and its rows are known. */
  readonly head?: TargetHead;
  /** Where the targets of one of several heads stand; a source without the option "targets" refuses it. */
  readonly target?: TargetColumns;
  /** What the network takes: images are decoded to that. Absent: in the form that the files suggest. */
  readonly inputs?: readonly NetworkInput[];
  /** What the columns of a table are called, in the order of the network's input. */
  readonly features?: readonly Feature[];
  /** Inputs that are a column of texts each, beside the numbers of the table. */
  readonly texts?: readonly NetworkInput[];
  /** Whether values may be missing (NaN, an empty cell), which the model fills. */
  readonly missing?: boolean;
  /** A folder in which rows are kept that are not to be in memory, the data entry's `memory` says from where on; without one they are refused. */
  readonly cache?: string;
  /** Hears what was taken for granted in reading a file, in one line. */
  readonly onNote?: (line: string) => void;
  /** Hears that a test set was drawn for which nobody said the part, in one line. */
  readonly onDrawn?: (line: string) => void;
}

/** The same for several inputs. */
export type SeveralContext = SourceContext & {
  readonly inputs: readonly NetworkInput[];
  /** The one whose values transforms change; the first of them when absent. */
  readonly first?: string;
};

/** Where a `data` entry points to. */
export interface Place {
  /** As it is written. */
  readonly source: string;
  /** Absolute. */
  readonly path: string;
  /** What is there; undefined when nothing is. */
  readonly kind: 'file' | 'folder' | undefined;
  /** Of the path, in lower case, without the dot. */
  readonly extension: string;
}

/** Either one data set that is still to be split, or a split that the source brings along. */
export type Found<D = Dataset> = { readonly whole: D } | { readonly split: Split<D> };

/** Rows of a source, read part by part. */
export interface RowStream {
  /** Bytes that they take as a data set. */
  readonly bytes: number;
  /** The parts, in order; each time from the beginning; `step` is called after each. Throws DataError, and what `step` throws. */
  readonly parts: (step: Step) => AsyncIterable<Dataset>;
}

/** Rows whose files are open: those of train and of test, or of both together. */
export interface Unread {
  /** As data sets. Throws DataError. */
  readonly read: () => Promise<Dataset[]>;
  /** As streams. Throws DataError for what cannot be read so. */
  readonly streams: () => Promise<RowStream[]>;
}

/** A source that is read part by part: one data set that is still to be split, or two. */
export interface Streams {
  readonly train: RowStream;
  readonly test?: RowStream;
}

/** Options that only some sources have a use for. */
export type SourceOption = 'label' | 'targets' | 'header' | 'delimiter' | 'decimal' | 'columns' | 'drop' | 'resize';

/** One kind of source. */
export interface Source {
  /** In words, for a list of what is expected. */
  readonly what: string;
  /** The options that it has a use for. */
  readonly options: readonly SourceOption[];
  /** Whether it is what stands at a place. */
  readonly is: (place: Place) => boolean | Promise<boolean>;
  /** Reads it. Throws DataError. */
  readonly read: (place: Place, options: DataOptions, context: SourceContext) => Promise<Found>;
  /** The same for several inputs. Absent: it gives one alone. Throws DataError. */
  readonly readSeveral?: (place: Place, options: DataOptions, context: SeveralContext) => Promise<Found<NamedSet>>;
  /** The same without having it in memory whole; nothing but what tells the size is read yet. Absent: it is read whole alone. Throws DataError. */
  readonly open?: (place: Place, options: DataOptions, context: SourceContext) => Promise<Streams>;
  /** The same for several inputs, packed in rows of bytes. Absent: they are read whole alone. Throws DataError. */
  readonly openSeveral?: (place: Place, options: DataOptions, context: SeveralContext) => Promise<Streams>;
  /** The files of a folder that it reads, as far as they are there; absent for a source that is a file. */
  readonly files?: (folder: string) => string[];
}
