// A file of a comparison: what its data say of each row, a line of either side or of both.

/** The signs and names of what became of a line. */
const EDITS = {
  s: ['', 'as it was'],
  m: ['↕', 'moved'],
  c: ['~', 'changed'],
  a: ['+', 'added'],
  r: ['−', 'removed'],
};

/** The rows around what changed that are shown with it. */
const CONTEXT = 3;
/** The fewest rows that are folded: fewer take no more room than what would stand for them. */
const FEWEST_FOLDED = 4;
/** The most rows of a file that is shown as a whole at first. */
const SHORT = 60;

/** By how much executions grew; exact, also where the numbers are too large for a script's. */
const difference = (before, after) => (typeof before === 'number' && typeof after === 'number'
  ? after - before
  : BigInt(after) - BigInt(before));

/** A number with its sign. */
const signed = (number) => `${number > 0 ? '+' : ''}${grouped(number)}`;

/** The colour of a change: two scales that meet in nothing, one for what grew and one for what shrank. */
const changeClass = (change, most) => {
  const step = heatOf(change < 0 ? -change : change, most);
  return change < 0 ? `cool-${step}` : `heat-${step}`;
};

/** Cycles in millions with a sign, to a thousand, as tables have them. */
const megacycles = (cycles, sign = cycles < 0 ? '-' : '+') => {
  const thousands = Math.round(Math.abs(cycles) / 1000);
  return `${sign}${grouped(Math.floor(thousands / 1000))}.${String(thousands % 1000).padStart(3, '0')}`;
};

/** What two texts have in common at their start and end, and what is between: of the first text, or of the second. */
const differing = (text, other) => {
  const [one, two] = [[...text], [...other]];
  const most = Math.min(one.length, two.length);
  let start = 0;
  while (start < most && one[start] === two[start]) start += 1;
  let end = 0;
  while (end < most - start && one[one.length - 1 - end] === two[two.length - 1 - end]) end += 1;
  return [one.slice(0, start), one.slice(start, one.length - end), one.slice(one.length - end)].map((part) => part.join(''));
};

class AlignedFile {
  constructor(data) {
    this.data = data;
    this.length = data.before.length;
    this.texts = data.text.split('\n');
    const others = data.other_text.split('\n');
    /** From rows where another text stood before to that text. */
    this.others = new Map(data.other_row.map((row, place) => [row, others[place]]));
    /** From rows that have instructions to their place in the numbers. */
    this.places = new Map(data.code.map((row, place) => [row, place]));
    this.elsewhere = new Map(data.elsewhere.map((row, place) =>
      [row, { label: data.elsewhere_label[place], to: data.elsewhere_to[place] }]));
    this.onlyChanges = this.length > SHORT;
  }

  edit(row) {
    return this.data.edit[row];
  }

  /** What stands on a row before and after; nothing where it is not there. */
  textsOf(row) {
    const [before, after] = [this.data.before[row] > 0, this.data.after[row] > 0];
    return [before ? this.others.get(row) ?? this.texts[row] : null, after ? this.texts[row] : null];
  }

  /** Executions before and after, and by how much they grew; nothing of rows without instructions. */
  counts(row) {
    const place = this.places.get(row);
    if (place === undefined) return null;
    const [before, after] = [this.data.executions_before[place], this.data.executions_after[place]];
    return { before, after, change: difference(before, after) };
  }

  /**
   * By how many net cycles a row takes longer and the error of that, and the raw cycles of an execution before and after
   * as a text; nothing where these are not known.
   */
  time(row) {
    const place = this.places.get(row);
    const { net, net_error: error, raw_before: before, raw_after: after } = this.data;
    if (place === undefined || net.length === 0) return null;
    const raw = (number) => (number === null ? '–' : groupedTenths(number));
    const isTimed = before[place] !== null || after[place] !== null;
    return {
      net: net[place], error: error[place], raw: isTimed ? `${raw(before[place])} → ${raw(after[place])}` : '',
    };
  }

  isChanged(row) {
    const counts = this.counts(row);
    return this.edit(row) !== 's' || this.others.has(row) || (counts !== null && Number(counts.change) !== 0);
  }

  /** The first rows of what changed together. */
  changes() {
    const starts = [];
    for (let row = 0; row < this.length; row += 1) {
      if (this.isChanged(row) && (row === 0 || !this.isChanged(row - 1))) starts.push(row);
    }
    return starts;
  }

  /** What is shown and what is folded: stretches of rows, from one place up to another. */
  stretches() {
    if (!this.onlyChanges) return [{ from: 0, to: this.length, isFolded: false }];
    const near = new Uint8Array(this.length);
    for (let row = 0; row < this.length; row += 1) {
      if (this.isChanged(row)) near.fill(1, Math.max(0, row - CONTEXT), row + CONTEXT + 1);
    }
    const stretches = [];
    for (let from = 0; from < this.length;) {
      let to = from + 1;
      while (to < this.length && near[to] === near[from]) to += 1;
      const isFolded = near[from] === 0 && to - from >= FEWEST_FOLDED;
      const last = stretches.at(-1);
      if (last && last.isFolded === isFolded) last.to = to;
      else stretches.push({ from, to, isFolded });
      from = to;
    }
    return stretches;
  }
}
